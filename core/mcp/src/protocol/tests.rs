//! Whole messages, with a store of which the tests say what it answers.

use alloc::{format, string::String, vec::Vec};

use nacre_layers::{
    address::Address, error::Error, id::User, json, pointer::Pointer, value::Value,
};
use nacre_store::{
    access::Scopes,
    op::{Caller, Command, Op, Read},
};

use super::{Response, receive};
use crate::{Answered, Ask, Setting, Step};

fn setting(scopes: Scopes, default: Option<&str>) -> Setting {
    let user = User::parse("u").unwrap();
    let default = default.and_then(|id| Address::parse("task", id).ok());
    let caller = Caller { user: user.clone(), owner: user, scopes };
    Setting { caller, default, standing: None, most_tokens: 300 }
}

/// Sends a message of an earlier revision.
fn say(method: &str, params: &str, setting: &Setting) -> Step<Response> {
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
    receive(body.as_bytes(), &|_| None).unwrap().answer(setting, None, "fresh")
}

/// Goes on until the end; returns the asks and the answer.
fn done(
    mut step: Step<Response>,
    mut answer: impl FnMut(&Ask) -> Result<String, Error>,
) -> (Vec<Ask>, Response) {
    let mut all = Vec::new();
    loop {
        match step {
            Step::Done(response) => return (all, response),
            Step::Ask(asks, next) => {
                let answered = |ask: &Ask| {
                    let body = answer(ask)?.into_bytes();
                    Ok(Answered { seq: 1, etag: None, body })
                };
                step = next(asks.iter().map(answered).collect());
                all.extend(asks);
            }
        }
    }
}

fn at(response: &Response, pointer: &str) -> Option<Value> {
    let body = json::read(&response.body, 64).unwrap();
    Pointer::parse(pointer).unwrap().get(&body).cloned()
}

#[test]
fn a_page_of_contexts_is_a_page_of_layers_and_views() {
    let setting = setting(Scopes::UNSTATED, None);
    let page = r#"{"items":[{"level":"task","id":"t","updated_at":"2026-01-01T00:00:00Z"}],"next_cursor":"abc"}"#;
    let (_, response) = done(say("resources/list", "{}", &setting), |_| Ok(page.into()));
    let uris = (0..3).map(|n| at(&response, &format!("/result/resources/{n}/uri")).unwrap());
    let expected = ["nacre://start", "nacre://contexts/task/t", "nacre://views/task/t"];
    assert_eq!(uris.collect::<Vec<_>>(), expected.map(Value::from));
    assert_eq!(at(&response, "/result/nextCursor"), Some("abc".into()));
    assert_eq!(at(&response, "/result/resultType"), None, "earlier revisions have no such member");

    let wrong = say("resources/list", r#"{"cursor":"abc"}"#, &setting);
    let (asks, response) = done(wrong, |_| Ok(page.into()));
    assert!(asks.is_empty());
    assert_eq!(at(&response, "/error/code"), Some((-32602i64).into()));
}

#[test]
fn a_view_that_is_too_long_comes_as_a_pack() {
    let setting = setting(Scopes::UNSTATED, None);
    let step = say("resources/read", r#"{"uri":"nacre://views/task/t"}"#, &setting);
    let (asks, response) = done(step, |ask| {
        Ok(match ask {
            Ask::Pack(_) => "# t".into(),
            _ => format!(r#"{{"data":"{}"}}"#, "long words ".repeat(1_000)),
        })
    });
    assert!(matches!(&asks[..], [Ask::Command(..), Ask::Pack(pack)] if pack.max_tokens == 300));
    assert_eq!(at(&response, "/result/contents/0/mimeType"), Some("text/markdown".into()));
    assert_eq!(at(&response, "/result/contents/0/uri"), Some("nacre://views/task/t".into()));
}

#[test]
fn what_does_not_exist_is_a_wrong_parameter() {
    let setting = setting(Scopes::UNSTATED, None);
    let step = say("resources/read", r#"{"uri":"nacre://contexts/task/t"}"#, &setting);
    let (_, response) = done(step, |_| Err(Error::not_found()));
    assert_eq!(response.status, 200);
    assert_eq!(at(&response, "/error/code"), Some((-32602i64).into()));
    assert_eq!(at(&response, "/error/data/uri"), Some("nacre://contexts/task/t".into()));
    assert_eq!(at(&response, "/error/data/problem/code"), Some("not-found".into()));
}

#[test]
fn an_empty_store_says_how_to_begin() {
    let start = r#"{"uri":"nacre://start"}"#;
    let read = |setting: &Setting| {
        done(say("resources/read", start, setting), |_| Err(Error::not_found())).1
    };
    let empty = read(&setting(Scopes::UNSTATED, None));
    assert!(at(&empty, "/result/contents/0/text").unwrap().as_str().unwrap().contains("create"));
    let gone = read(&setting(Scopes::UNSTATED, Some("gone")));
    assert_eq!(at(&gone, "/error/code"), Some((-32602i64).into()));
}

#[test]
fn nothing_is_asked_that_the_token_does_not_allow() {
    let setting = setting(Scopes::WRITE, None);
    let (asks, response) = done(say("resources/list", "{}", &setting), |_| Ok("{}".into()));
    assert!(asks.is_empty());
    assert_eq!((response.status, response.needs), (403, Some(Scopes::READ)));
    assert_eq!(at(&response, "/id"), Some(1u64.into()));
}

#[test]
fn prompts_mean_the_default_context_unless_they_name_one() {
    let address = |arguments: &str, default: Option<&str>| {
        let params = format!(r#"{{"name":"load_task_context","arguments":{arguments}}}"#);
        let step = say("prompts/get", &params, &setting(Scopes::UNSTATED, default));
        let (asks, _) = done(step, |_| Ok("# pack".into()));
        match asks.first() {
            Some(Ask::Pack(pack)) => Some(format!("{}", pack.address)),
            _ => None,
        }
    };
    assert_eq!(address("{}", Some("a")).as_deref(), Some("task/a"));
    assert_eq!(address("{}", None).as_deref(), Some("global/global"));
    assert_eq!(address(r#"{"id":"b"}"#, Some("a")).as_deref(), Some("task/b"));
    let named = r#"{"level":"project","id":"p"}"#;
    assert_eq!(address(named, Some("a")).as_deref(), Some("project/p"));
    assert_eq!(address(r#"{"level":"project"}"#, Some("a")), None);
}

#[test]
fn ids_are_completed_within_the_level_that_is_chosen() {
    let params = r#"{"ref":{"type":"ref/resource","uri":"nacre://views/{level}/{id}"},"argument":{"name":"id","value":"fi"},"context":{"arguments":{"level":"task"}}}"#;
    let step = say("completion/complete", params, &setting(Scopes::UNSTATED, None));
    let (asks, response) =
        done(step, |_| Ok(r#"{"items":[{"id":"fix"}],"next_cursor":null}"#.into()));
    let Some(Ask::Command(Command::Op(Op::Read(Read::List { filter, limit, .. })), None)) =
        asks.first()
    else {
        panic!("{asks:?}")
    };
    assert_eq!((filter.prefix.as_deref(), *limit), (Some("fi"), 100));
    assert_eq!(filter.level.map(|level| level.as_str()), Some("task"));
    assert_eq!(at(&response, "/result/completion/values/0"), Some("fix".into()));
    assert_eq!(at(&response, "/result/completion/hasMore"), Some(false.into()));
}

#[test]
fn a_subscription_needs_a_session() {
    let setting = setting(Scopes::UNSTATED, Some("t"));
    let body = br#"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"nacre://start"}}"#;
    let with = |session: Option<&str>| {
        let header = |name: &str| session.filter(|_| name == "mcp-session-id").map(String::from);
        done(receive(body, &header).unwrap().answer(&setting, None, ""), |_| Ok(String::new()))
    };
    let (asks, response) = with(None);
    assert!(asks.is_empty());
    assert_eq!(at(&response, "/error/code"), Some((-32602i64).into()));
    let (asks, response) = with(Some("s"));
    assert!(matches!(&asks[..], [Ask::Follow(follow)] if follow.session == "s" && follow.begins));
    assert_eq!(at(&response, "/result"), Some(nacre_layers::value::Object::new().into()));
}
