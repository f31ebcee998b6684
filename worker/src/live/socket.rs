//! The platform's hibernating sockets.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::{State, WebSocketPair};

// As with the storage: whatever can throw says so with `catch`.
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

/// What is answered without waking the object, and what with.
const PING: [&str; 2] = [r#"{"type":"ping"}"#, r#"{"type":"pong"}"#];

/// All sockets of this object.
pub(super) struct Host(ObjectState);

impl Host {
    pub(super) fn of(state: &State) -> Host {
        Host(JsCast::unchecked_ref::<ObjectState>(state.as_raw()).clone())
    }

    /// The sockets that are open, those from before a sleep included.
    pub(super) fn sockets(&self) -> Vec<Socket> {
        let sockets = self.0.sockets().unwrap_or_default();
        sockets.iter().map(JsCast::unchecked_into).collect()
    }

    /// Makes a socket and takes it: what the client gets, and what stays here.
    pub(super) fn open(&self, attachment: &str) -> worker::Result<(worker::WebSocket, Socket)> {
        let WebSocketPair { client, server } = WebSocketPair::new()?;
        let socket = Socket::of(&server);
        self.0.set_auto_response(&AutoResponse::new(PING[0], PING[1])?)?;
        self.0.accept(&socket)?;
        socket.attach(attachment)?;
        Ok((client, socket))
    }
}

impl Socket {
    pub(super) fn of(socket: &worker::WebSocket) -> Socket {
        let socket: &web_sys::WebSocket = socket.as_ref();
        JsCast::unchecked_ref::<Socket>(socket).clone()
    }

    /// Keeps a text with the socket; whether that went well.
    pub(super) fn keep(&self, text: &str) -> bool {
        self.attach(text).is_ok()
    }

    /// The text that is kept with the socket.
    pub(super) fn kept(&self) -> Option<String> {
        self.attached().ok()?.as_string()
    }

    /// Sends a frame, without waiting for it to arrive. A socket that is gone takes none: its end is
    /// told of separately.
    pub(super) fn tell(&self, frame: &JsValue) {
        let _gone = self.send(frame);
    }

    /// Ends the socket.
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
