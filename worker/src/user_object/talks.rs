//! Answers that wait for their client to answer a request first. Only fixtures of the conformance suite
//! ask something, and only as long as this isolate lives.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    future::poll_fn,
    rc::Rc,
    result::Result,
    task::{Poll, Waker},
};

use futures_util::stream::try_unfold;
use nacre_core::{
    mcp::protocol::{Received, Waits},
    value::Object,
};
use wasm_bindgen::JsValue;

use crate::{http, message};

/// What a client has answered, or who waits for it.
#[derive(Default)]
struct Talk {
    answer: Option<Object>,
    waiting: Option<Waker>,
}

thread_local! {
    static TALKS: RefCell<BTreeMap<String, Rc<RefCell<Talk>>>> = RefCell::default();
}

/// Sends what there is, and the rest once the client has answered.
pub(super) fn hold(response: &http::Response, waits: Waits) -> Result<JsValue, JsValue> {
    let Waits { id, finish } = waits;
    let talk = Rc::new(RefCell::new(Talk::default()));
    TALKS.with_borrow_mut(|talks| talks.insert(id.clone(), Rc::clone(&talk)));
    let first = response.body.clone();
    let begun = Some((Some(first), finish));
    let events = try_unfold(begun, move |state| {
        let (talk, id) = (Rc::clone(&talk), id.clone());
        async move {
            let Some((first, finish)) = state else { return Ok::<_, worker::Error>(None) };
            if let Some(first) = first {
                return Ok(Some((first, Some((None, finish)))));
            }
            let answer = poll_fn(|context| {
                let mut talk = talk.borrow_mut();
                match talk.answer.take() {
                    Some(answer) => Poll::Ready(answer),
                    None => {
                        talk.waiting = Some(context.waker().clone());
                        Poll::Pending
                    }
                }
            })
            .await;
            TALKS.with_borrow_mut(|talks| talks.remove(&id));
            Ok(Some((finish(&answer), None)))
        }
    });
    message::streamed(response, events)
}

/// Takes the answer of a client.
pub(super) fn hear(received: &Received) {
    let Some((id, answer)) = received.reply() else { return };
    let Some(talk) = TALKS.with_borrow(|talks| talks.get(id).cloned()) else { return };
    let mut talk = talk.borrow_mut();
    talk.answer = Some(answer.clone());
    if let Some(waker) = talk.waiting.take() {
        waker.wake();
    }
}
