//! Tools of the Model Context Protocol: what each call answers, after some writes and shares.

use nacre_core::{
    access::Scopes,
    address::Address,
    id::User,
    mcp::{Answered, Ask, Outcome, Setting, Step, tools},
    op::Caller,
    pack::{Counter, TOKENS_DEFAULT, TOKENS_LEAST, pack},
    store::Reads as _,
    value::Value,
    wire::Answer,
};
use serde_json::json;

use crate::{Case, Json, Topic, from_serde, list, retrieval::write, text, to_serde, world::World};

/// A write is an operation, or `share` with a member. A call has a tool's name and arguments, and `as` for
/// another user than alice, whose store it is; `scopes`; `default` for the default context; and `cap` for
/// the most tokens of an answer. An answer is told by its data, a pack by its lines, a failure by its text.
pub(crate) const TOPIC: Topic = Topic::new("mcp", &["writes", "calls"], &["answers"], run);

/// The most tokens of an answer, where a case does not say.
const CAP: u64 = 20_000;

fn run(case: &Case) -> Vec<Json> {
    let mut world = World::empty();
    list(&case["writes"]).iter().for_each(|step| write(&mut world, step));
    let answers = list(&case["calls"]).iter().map(|asked| {
        let arguments = asked.get("arguments").cloned().unwrap_or_else(|| json!({}));
        let setting = setting(asked);
        told(&call(&mut world, text(&asked["tool"]), &arguments, &setting))
    });
    vec![answers.collect()]
}

fn setting(asked: &Json) -> Setting {
    let user = asked.get("as").map_or("alice", text);
    let [user, owner] = [user, "alice"].map(|user| User::parse(user).expect("a user"));
    let scopes = asked.get("scopes").map_or(Scopes::UNSTATED, |scopes| Scopes::parse(text(scopes)));
    let default = asked.get("default").map(|default| {
        let (level, id) = text(default).split_once('/').expect("level/id");
        Address::parse(level, id).expect("an address")
    });
    let most_tokens = asked.get("cap").and_then(Json::as_u64).unwrap_or(CAP);
    Setting { caller: Caller { user, owner, scopes }, default, standing: None, most_tokens }
}

/// Calls a tool, and carries out what it asks for.
///
/// # Panics
/// When there is no such tool, or the answer is longer than it may be.
pub fn call(world: &mut World, tool: &str, arguments: &Json, setting: &Setting) -> Outcome {
    let Value::Object(members) = from_serde(arguments) else { panic!("{arguments}: no arguments") };
    let mut step = tools::call(tool, members, setting).expect("a tool");
    let outcome = loop {
        match step {
            Step::Done(outcome) => break outcome,
            Step::Ask(asks, next) => {
                let carried = asks.iter().map(|ask| carry_out(world, ask, &setting.caller));
                step = next(carried.collect());
            }
        }
    };
    // A bound that is refused bounds nothing.
    let wanted = arguments["max_tokens"].as_u64().unwrap_or(TOKENS_DEFAULT).max(TOKENS_LEAST);
    let wanted = wanted.min(setting.most_tokens);
    let tokens = Counter::Cautious.count(&shown(&outcome));
    assert!(tokens as u64 <= wanted, "{tokens} tokens of {wanted}: {}", shown(&outcome));
    outcome
}

fn carry_out(
    world: &mut World,
    ask: &Ask,
    caller: &Caller,
) -> Result<Answered, nacre_core::error::Error> {
    match ask {
        Ask::Command(command, _) => {
            let (user, scopes) = (caller.user.as_str(), caller.scopes.to_string());
            let reply = world.run_as(user, &scopes, command.clone())?;
            let seq = world.store.seq()?;
            let Answer { etag, body, .. } = Answer::of(&reply, seq)?;
            Ok(Answered { seq, etag, body })
        }
        Ask::Pack(ask) => {
            let packed = pack(&world.store, caller, ask)?;
            Ok(Answered { seq: packed.seq, etag: None, body: packed.text.into_bytes() })
        }
        Ask::Search(_) | Ask::Follow(_) => panic!("no case searches or follows: {ask:?}"),
    }
}

/// What a model reads.
///
/// # Panics
/// When the outcome has another content than one text.
pub fn shown(outcome: &Outcome) -> String {
    let [Value::Object(block)] = &outcome.content[..] else { panic!("{outcome:?}") };
    block.get("text").and_then(Value::as_str).expect("a text").to_owned()
}

fn told(outcome: &Outcome) -> Json {
    let shown = shown(outcome);
    if outcome.failed {
        return json!({ "failed": shown.lines().collect::<Vec<_>>() });
    }
    let structured = to_serde(outcome.structured.as_ref().expect("data"));
    if let Some(pack) = structured.get("pack") {
        assert_eq!(pack, &json!(shown));
        return shown.lines().collect();
    }
    assert_eq!(structured.to_string(), shown, "the text is the data");
    structured
}
