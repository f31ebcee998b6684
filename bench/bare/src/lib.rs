//! As little as a Worker with a Durable Object can do.
//!
//! | request | the object |
//! |---|---|
//! | `GET /bytes/{n}` | answers n constant bytes from memory |
//! | `GET /empty` | answers nothing |
//! | `PATCH /insert/{n}` | reads the body, inserts two rows, answers n constant bytes |
//! | `GET /listen` | takes a hibernating socket |
//! | `POST /tell/{n}` | sends n constant bytes to every socket, answers nothing |
//!
//! `GET /search?q=…` is answered without an object: the ids of ten documents by one FTS5 query, with
//! the words of `q` joined by OR.
//!
//! No token, no routing to speak of, no JSON. It is what the platform itself takes.

use std::{cell::RefCell, rc::Rc};

use worker::{
    Context, DurableObject, Env, Error, Method, Request, Response, Result, Socket, SqlStorageValue,
    State, WebSocket, WebSocketIncomingMessage, WebSocketPair, durable_object, event,
};

/// Entry of every HTTP request.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    if request.path() == "/search" {
        return search(&request, &env).await;
    }
    env.durable_object("BARE")?.get_by_name("bench")?.fetch_with_request(request).await
}

/// The best ten documents of the table `bare` for the words of the question.
async fn search(request: &Request, env: &Env) -> Result<Response> {
    let url = request.url()?;
    let asked = url.query_pairs().find_map(|(name, value)| (name == "q").then_some(value));
    let asked = asked.unwrap_or_default();
    let words = asked.split(|letter: char| !letter.is_alphanumeric());
    let quoted = words.filter(|word| !word.is_empty()).map(|word| format!("\"{word}\""));
    let expression = quoted.collect::<Vec<_>>().join(" OR ");
    let found = env.d1("SEARCH")?.prepare(BEST).bind(&[expression.into()])?.all().await?;
    let ids: Vec<String> = found.results::<Best>()?.into_iter().map(|best| best.id).collect();
    Response::from_json(&ids)
}

const BEST: &str = "SELECT id FROM bare WHERE bare MATCH ?1 ORDER BY bm25(bare) LIMIT 10";

#[derive(serde::Deserialize)]
struct Best {
    id: String,
}

#[durable_object]
struct Bare {
    state: State,
    answer: RefCell<Rc<Vec<u8>>>,
}

impl DurableObject for Bare {
    fn new(state: State, _: Env) -> Self {
        let sql = state.storage().sql();
        for table in [
            "CREATE TABLE IF NOT EXISTS current (id TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS past (n INTEGER PRIMARY KEY, value BLOB)",
        ] {
            // A table that is missing shows at the first insert.
            let _ = sql.exec(table, None);
        }
        Bare { state, answer: RefCell::default() }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        if request.method() == Method::Patch {
            let body = request.bytes().await?;
            let answer = self.answer(&request)?;
            let sql = self.state.storage().sql();
            sql.exec(
                "INSERT INTO current VALUES ('bench', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                vec![SqlStorageValue::Blob(answer.to_vec())],
            )?;
            sql.exec("INSERT INTO past (value) VALUES (?)", vec![SqlStorageValue::Blob(body)])?;
            return Response::from_bytes(answer.to_vec());
        }
        if request.path() == "/listen" {
            let WebSocketPair { client, server } = WebSocketPair::new()?;
            self.state.accept_web_socket(&server);
            return Response::from_websocket(client);
        }
        if request.method() == Method::Post {
            let frame = String::from_utf8_lossy(&self.answer(&request)?).into_owned();
            for socket in self.state.get_websockets() {
                socket.send_with_str(&frame)?;
            }
            return Response::empty();
        }
        match self.answer(&request)? {
            answer if answer.is_empty() => Response::empty(),
            answer => Response::from_bytes(answer.to_vec()),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        Response::empty()
    }

    async fn websocket_message(&self, _: WebSocket, _: WebSocketIncomingMessage) -> Result<()> {
        Ok(())
    }

    async fn websocket_close(&self, _: WebSocket, _: usize, _: String, _: bool) -> Result<()> {
        Ok(())
    }

    async fn websocket_error(&self, _: WebSocket, _: Error) -> Result<()> {
        Ok(())
    }

    async fn connect(&self, _: Socket) -> Result<()> {
        Ok(())
    }
}

impl Bare {
    /// As many bytes as the path says, made once.
    fn answer(&self, request: &Request) -> Result<Rc<Vec<u8>>> {
        let path = request.path();
        let bytes = path.rsplit('/').next().and_then(|last| last.parse().ok()).unwrap_or(0);
        if self.answer.borrow().len() != bytes {
            self.answer.replace(Rc::new(vec![b'x'; bytes]));
        }
        Ok(Rc::clone(&self.answer.borrow()))
    }
}
