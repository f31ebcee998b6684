//! Messages of the Model Context Protocol: whatever comes, there is an answer, and it is JSON.

use nacre_core::{
    access::Scopes,
    address::Address,
    error::Error,
    id::User,
    json,
    mcp::{
        Answered, Setting, Step,
        protocol::{Listening, Response, receive},
    },
    op::Caller,
};

/// A body under the headers of either kind of revision, each question of its answers answered by a
/// refusal, by nothing and by itself; and frames of the store, which a stream hears.
pub fn messages(bytes: &[u8]) {
    let user = User::parse("u").expect("a user");
    let setting = Setting {
        caller: Caller { user: user.clone(), owner: user, scopes: Scopes::UNSTATED },
        default: Some(Address::global()),
        standing: None,
        most_tokens: 1_000,
    };
    let stateless = |name: &str| match name {
        "mcp-protocol-version" => Some("2026-07-28".into()),
        "mcp-method" => Some("tools/call".into()),
        "mcp-name" => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    };
    for header in [&stateless as &dyn Fn(&str) -> Option<String>, &|_| None] {
        for answer in [None, Some(&b""[..]), Some(bytes)] {
            match receive(bytes, header) {
                Ok(received) => done(received.answer(&setting, None, "fresh"), answer),
                Err(response) => well_formed(&response),
            }
        }
        if let Ok((mut listening, _)) = Listening::begin(bytes, header, &setting) {
            listening.hear(&String::from_utf8_lossy(bytes));
        }
    }
    let (mut listening, _) = Listening::of_session();
    listening.hear(&String::from_utf8_lossy(bytes));
}

fn done(mut step: Step<Response>, body: Option<&[u8]>) {
    // No request asks more often than it has arguments.
    for _ in 0..1_000 {
        match step {
            Step::Done(response) => return well_formed(&response),
            Step::Ask(asks, next) => {
                let answer = |_| match body {
                    None => Err(Error::not_found()),
                    Some(body) => Ok(Answered { seq: 1, etag: None, body: body.to_vec() }),
                };
                step = next(asks.iter().map(answer).collect());
            }
        }
    }
    panic!("a request asks without end");
}

fn well_formed(response: &Response) {
    assert!((200..600).contains(&response.status));
    if !response.body.is_empty() {
        json::read(&response.body, 1_000).expect("a message");
    }
}
