//! The platform's hibernating sockets.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{State, WebSocketPair};

// As with the storage: every method that can throw is marked `catch`.
#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    type ObjectState;

    #[wasm_bindgen(method, catch, js_name = acceptWebSocket)]
    fn accept(this: &ObjectState, socket: &Socket) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = getWebSockets)]
    fn sockets(this: &ObjectState) -> Result<Array, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setWebSocketAutoResponse)]
    fn set_auto_response(this: &ObjectState, pair: &AutoResponse) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = getWebSocketAutoResponseTimestamp)]
    fn answered_at(this: &ObjectState, socket: &Socket) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = WebSocketRequestResponsePair)]
    type AutoResponse;

    #[wasm_bindgen(catch, constructor, js_class = WebSocketRequestResponsePair)]
    fn new(request: &str, response: &str) -> Result<AutoResponse, JsValue>;

    /// One socket, as the server holds it.
    #[derive(Clone)]
    pub(super) type Socket;

    #[wasm_bindgen(method, catch)]
    fn send(this: &Socket, frame: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn close(this: &Socket, code: u16, reason: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = serializeAttachment)]
    fn attach(this: &Socket, text: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = deserializeAttachment)]
    fn attached(this: &Socket) -> Result<JsValue, JsValue>;
}

/// The message that the platform answers without waking the object, and its answer.
const PING: [&str; 2] = [r#"{"type":"ping"}"#, r#"{"type":"pong"}"#];

/// All sockets of this object.
pub(super) struct Host(ObjectState);

impl Host {
    pub(super) fn of(state: &State) -> Host {
        Host(JsCast::unchecked_ref::<ObjectState>(state.as_raw()).clone())
    }

    /// All open sockets, including those opened before the object slept.
    pub(super) fn sockets(&self) -> Vec<Socket> {
        let sockets = self.0.sockets().unwrap_or_default();
        sockets.iter().map(JsCast::unchecked_into).collect()
    }

    /// When the platform last answered a ping of a socket, in its milliseconds; 0 for never.
    pub(super) fn pinged(&self, socket: &Socket) -> f64 {
        let answered = self.0.answered_at(socket).ok();
        let date = answered.and_then(|answered| answered.dyn_into::<js_sys::Date>().ok());
        date.map_or(0.0, |date| date.get_time())
    }

    /// Creates and accepts a socket pair: the client's end and the server's end.
    pub(super) fn open(&self, attachment: &str) -> worker::Result<(worker::WebSocket, Socket)> {
        let WebSocketPair { client, server } = WebSocketPair::new()?;
        let socket = Socket::of(server.as_ref());
        self.0.set_auto_response(&AutoResponse::new(PING[0], PING[1])?)?;
        self.0.accept(&socket)?;
        socket.attach(attachment)?;
        Ok((client, socket))
    }
}

impl Socket {
    pub(super) fn of(socket: &web_sys::WebSocket) -> Socket {
        JsCast::unchecked_ref::<Socket>(socket).clone()
    }

    /// Attaches a text to the socket; returns whether that succeeded.
    pub(super) fn keep(&self, text: &str) -> bool {
        self.attach(text).is_ok()
    }

    /// The text that is attached to the socket.
    pub(super) fn kept(&self) -> Option<String> {
        self.attached().ok()?.as_string()
    }

    /// Sends a frame without waiting. Errors are ignored: the platform reports a closed socket
    /// separately.
    pub(super) fn tell(&self, frame: &JsValue) {
        let _gone = self.send(frame);
    }

    /// Closes the socket.
    pub(super) fn end(&self, code: u16, reason: &str) {
        let _gone = self.close(code, reason);
    }
}

/// A text frame.
pub(super) fn text_frame(text: &[u8]) -> JsValue {
    // Frames are canonical JSON.
    JsValue::from_str(core::str::from_utf8(text).unwrap_or_default())
}

/// A binary frame.
pub(super) fn binary_frame(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}
