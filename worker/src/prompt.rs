//! Futures of handlers: most of them never wait, and then need neither a promise nor a task.

use std::task::{Context, Poll, Waker};

use js_sys::futures::future_to_promise;
use wasm_bindgen::JsValue;

/// Runs a future until it waits for the first time. If it ends before, its outcome is the value of
/// the handler; otherwise the handler gives a promise. The platform takes both.
///
/// # Errors
/// Those of the future.
pub(crate) fn promptly(
    future: impl Future<Output = Result<JsValue, JsValue>> + 'static,
) -> Result<JsValue, JsValue> {
    let mut future = Box::pin(future);
    // The task of the promise polls it again, so nobody need be woken for this poll.
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Ok(future_to_promise(future).into()),
    }
}
