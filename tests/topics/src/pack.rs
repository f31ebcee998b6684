//! Context packs: what each one says, after some writes and shares.

use nacre_core::{
    access::Scopes,
    address::Address,
    id::User,
    op::Caller,
    pack::{Ask, Calls, Counter, Format, Pack, pack},
};
use serde_json::json;

use crate::{Case, Json, Topic, error, list, retrieval::write, text, world::World};

/// A write is an operation, or `share` with a member. An ask has the members of a query, and `as` for
/// another user than alice, whose store it is. A pack of Markdown is told by its lines.
pub(crate) const TOPIC: Topic = Topic::new("pack", &["writes", "asks"], &["packs"], run);

fn run(case: &Case) -> Vec<Json> {
    let mut world = World::empty();
    list(&case["writes"]).iter().for_each(|step| write(&mut world, step));
    let packs = list(&case["asks"]).iter().map(|asked| {
        let ask = ask(asked);
        let user = asked.get("as").map_or("alice", text);
        let [user, owner] = [user, "alice"].map(|user| User::parse(user).expect("a user"));
        let caller = Caller { user, owner, scopes: Scopes::READ };
        let packed = pack(&world.store, &caller, &ask);
        packed.map_or_else(|refused| error::<()>(&Err(refused)), |pack| told(&ask, &pack))
    });
    vec![packs.collect()]
}

fn ask(asked: &Json) -> Ask {
    let number = |name: &str, default: u64| asked[name].as_u64().unwrap_or(default) as usize;
    Ask {
        address: Address::parse(text(&asked["level"]), text(&asked["id"])).expect("an address"),
        max_tokens: number("max_tokens", nacre_core::pack::TOKENS_DEFAULT),
        counter: asked["bytes_per_token"]
            .as_f64()
            .map_or(Counter::Cautious, Counter::BytesPerToken),
        format: if asked["format"] == "json" { Format::Json } else { Format::Markdown },
        origins: asked["origins"] == true,
        calls: if asked["calls"] == "tools" { Calls::Tools } else { Calls::Http },
    }
}

fn told(ask: &Ask, pack: &Pack) -> Json {
    let tokens = ask.counter.count(&pack.text);
    assert!(tokens <= pack.tokens && pack.tokens <= ask.max_tokens, "{tokens} of {}", pack.tokens);
    match ask.format {
        Format::Markdown => pack.text.lines().collect(),
        Format::Json => {
            let value: Json = serde_json::from_str(&pack.text).expect("JSON");
            assert_eq!(json!(value).to_string(), pack.text, "sorted members");
            value
        }
    }
}
