//! The laws of replicas, over random histories of two of them and of others who write directly, with
//! answers lost on the way and tabs that crash: nothing that was queued is lost or done twice, and
//! in the end everyone holds what the server holds.

use std::collections::VecDeque;

use nacre_core::{
    address::Address,
    entropy::Entropy,
    error::Code,
    json,
    moment::Moment,
    op::{Read, Resolve},
    record::EntryKind,
    replica::Choice,
    value::Value,
};
use nacre_topics::{
    device::{Device, Server, conflicts, data, direct, finish, pair, refused},
    parse,
};

/// A source of choices.
struct Dice(Entropy);

impl Dice {
    fn new(seed: u64) -> Dice {
        let mut bytes = [7; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        Dice(Entropy::from_seed(bytes))
    }

    fn below(&mut self, most: u64) -> u64 {
        u64::from_le_bytes(self.0.array()) % most
    }

    fn one<'o>(&mut self, of: &[&'o str]) -> &'o str {
        of[self.below(of.len() as u64) as usize]
    }
}

fn fly(device: &mut Device, server: &mut Server, dice: &mut Dice) {
    if device.replica.under_way().is_none() {
        let step = device.replica.take_off(Moment(0)).unwrap();
        device.keep(step);
    }
    let Some(body) = device.replica.under_way().map(String::from) else { return };
    match dice.below(4) {
        0 => {}                         // never arrives
        1 => drop(server.batch(&body)), // the answer is lost
        _ => match server.batch(&body) {
            Ok(answer) => {
                let step = device.replica.land(&parse(&answer)).unwrap();
                device.keep(step);
            }
            Err(problem) => {
                let step = device.replica.turn_back(&parse(&problem)).unwrap();
                device.keep(step);
            }
        },
    }
}

/// A random write; each value is there once, so that it can be found again.
fn random(dice: &mut Dice, n: u64, who: &str) -> String {
    let contexts = [
        ("global", "global", ""),
        ("project", "p", ""),
        ("project", "q", ""),
        ("branch", "b", "p"),
    ];
    let (level, id, parent) = contexts[dice.below(4) as usize];
    let named = format!(r#""level":"{level}","context_id":"{id}""#);
    let value = format!("{who}{n}");
    let parent = if parent.is_empty() { String::new() } else { format!(r#","parent":"{parent}""#) };
    match dice.below(12) {
        0 => format!(r#"{{"action":"create",{named},"data":{{"made":"{value}"}}{parent}}}"#),
        1 => {
            format!(r#"{{"action":"put",{named},"data":{{"a":"{value}","o":{{"x":1}}}}{parent}}}"#)
        }
        // Below global is everything, and with it what the laws look at.
        2 if level != "global" => format!(r#"{{"action":"delete",{named},"cascade":true}}"#),
        3 => format!(r#"{{"action":"restore",{named}}}"#),
        4 => format!(r#"{{"action":"rollback",{named},"version":1}}"#),
        5 => format!(
            r#"{{"action":"move","level":"branch","context_id":"b","parent":"{}"}}"#,
            dice.one(&["p", "q"])
        ),
        6 => format!(
            r#"{{"action":"update",{named},"patch":[{{"op":"add","path":"/list","value":["{value}"]}}]}}"#
        ),
        7 => format!(r#"{{"action":"update",{named},"patch":{{"api_key":"{value}"}}}}"#),
        8 => format!(r#"{{"action":"unset",{named},"pointers":["/o/{}"]}}"#, dice.one(&["x", "y"])),
        _ => format!(
            r#"{{"action":"update",{named},"patch":{{"{}":"{value}","o":{{"{}":"{value}o"}}}}}}"#,
            dice.one(&["a", "b", "c"]),
            dice.one(&["x", "y"])
        ),
    }
}

fn one_history(seed: u64) {
    let mut dice = Dice::new(seed);
    let mut server = Server::empty();
    direct(&mut server, r#"{"action":"create","level":"task","context_id":"t","parent":"b0","create_parents":true,"data":{"log":[]}}"#).unwrap();
    direct(
        &mut server,
        r#"{"action":"create","level":"global","context_id":"global","data":{"a":"0"}}"#,
    )
    .unwrap();
    direct(
        &mut server,
        r#"{"action":"create","level":"project","context_id":"p","data":{"a":"0"}}"#,
    )
    .unwrap();
    let mut devices = [Device::new("x", &mut server), Device::new("y", &mut server)];
    let (mut appended, mut written, mut noted) = (Vec::new(), Vec::new(), 0);
    for n in 0..80 {
        let device = &mut devices[dice.below(2) as usize];
        match dice.below(12) {
            0..=3 => {
                let op = random(&mut dice, n, device.name);
                if device.write(&op, n) {
                    written.push((n, device.name, op));
                }
            }
            4 => {
                let value = format!("{}{n}", device.name);
                let op = format!(
                    r#"{{"action":"append","level":"task","context_id":"t","pointer":"/log","values":["{value}"]}}"#
                );
                assert!(device.write(&op, n));
                appended.push(value);
            }
            5 => {
                let op =
                    r#"{"action":"add_insight","level":"task","context_id":"t","content":"c"}"#;
                assert!(device.write(op, n));
                noted += 1;
            }
            6 => {
                let (one, other) = (random(&mut dice, n, "s"), random(&mut dice, n, "s"));
                let both =
                    dice.below(2) == 0 && direct(&mut server, &format!("{one},{other}")).is_ok();
                if !both {
                    drop(direct(&mut server, &one));
                }
            }
            7 => {
                let most = dice.below(4) as usize;
                device.hear(&mut server, Some(most));
            }
            8 => device.hear(&mut server, None),
            9 => device.crash(&server),
            _ => fly(device, &mut server, &mut dice),
        }
    }
    // Everyone comes back, and all that waits is told.
    for round in 0.. {
        assert!(
            round < 400,
            "seed {seed}: it never ends: {:?}",
            devices[0]
                .kept
                .iter()
                .chain(&devices[1].kept)
                .filter(|(key, _)| !key.starts_with("r/"))
                .map(|(key, kept)| (key, String::from_utf8_lossy(kept)))
                .collect::<Vec<_>>()
        );
        for device in &mut devices {
            fly(device, &mut server, &mut dice);
            device.hear(&mut server, None);
            for key in refused(device) {
                let step = match dice.below(3) {
                    0 => device.replica.retry(&key),
                    1 => device.replica.discard(&key),
                    _ => continue,
                };
                device.keep(step.unwrap());
            }
        }
        if devices
            .iter()
            .all(|device| device.kept.keys().all(|key| !key.starts_with("q/") && key != "f"))
        {
            break;
        }
    }
    for device in &mut devices {
        device.hear(&mut server, None);
        device.crash(&server);
        same_contexts(seed, &mut server, device);
    }
    let log = server.world.data(&Address::parse("task", "t").unwrap()).unwrap();
    let log = String::from_utf8(log).unwrap();
    for value in &appended {
        assert_eq!(
            log.matches(&format!("\"{value}\"")).count(),
            1,
            "seed {seed}: {value} in {log}"
        );
    }
    let insights = server.world.export(false);
    let insights = String::from_utf8(insights).unwrap();
    assert_eq!(insights.matches("\"content\":\"c\"").count(), noted, "seed {seed}");
    nothing_is_dropped(seed, &server, &devices, &written);
    every_write_ends_once(seed, &devices);
}

/// Of every write its end is told, once. It may be told to be refused before.
fn every_write_ends_once(seed: u64, devices: &[Device]) {
    for device in devices {
        let mut ends: Vec<&str> = Vec::new();
        let told = device.told.iter();
        ends.extend(
            told.filter(|told| told["state"] != "refused").filter_map(|t| t["key"].as_str()),
        );
        let mut once = ends.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), ends.len(), "seed {seed}: {ends:?}");
        assert_eq!(once.len(), device.writes, "seed {seed}: {ends:?}");
    }
}

/// The replica shows what the server has.
fn same_contexts(seed: u64, server: &mut Server, device: &Device) {
    for (level, id) in
        [("global", "global"), ("project", "p"), ("project", "q"), ("branch", "b"), ("task", "t")]
    {
        let address = Address::parse(level, id).unwrap();
        let theirs = server.world.view(&address, None);
        let ours = device.replica.view(&address).ok();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(
            ours.as_ref().map(|view| text(&view.text)),
            theirs.as_deref().map(text),
            "seed {seed}: {address} on {}",
            device.name
        );
        if let Some(ours) = ours {
            let layer = nacre_core::layer::Layer::from_canonical(theirs.unwrap()).unwrap();
            assert_eq!(ours.hash, layer.hash(), "seed {seed}");
        }
    }
}

/// Whatever was written has been with the server, or is in a conflict, or was told to be refused, or
/// was written over by its own writer.
fn nothing_is_dropped(
    seed: u64,
    server: &Server,
    devices: &[Device],
    written: &[(u64, &str, String)],
) {
    let ever: String = server.ever.iter().map(|(_, data)| data.as_str()).collect();
    let conflicts: String = devices
        .iter()
        .map(|device| String::from_utf8(json::write(&device.replica.conflicts().unwrap())).unwrap())
        .collect();
    let refused: Vec<String> =
        devices.iter().flat_map(Device::refusals).map(ToString::to_string).collect();
    let refused = refused.concat();
    for (n, name, op) in written {
        let value = format!("\"{name}{n}\"");
        if !op.contains(&value) || op.contains("api_key") {
            continue;
        }
        let place = if op.contains("\"create\"") { "made" } else { "" };
        // One's own later write about the same context may stand in the conflict instead.
        let context = &op[op.find("\"level\"").unwrap()..op.find("\"context_id\"").unwrap() + 16];
        let later =
            written.iter().any(|(later, by, op)| later > n && by == name && op.contains(context));
        assert!(
            ever.contains(&value)
                || conflicts.contains(&value)
                || refused.contains(&value)
                || later,
            "seed {seed}: {value} {place} is nowhere: {op}\n{conflicts}"
        );
    }
}

#[test]
fn nothing_is_lost_or_done_twice_whatever_is_cut() {
    let seeds = std::env::var("NACRE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    let from = std::env::var("NACRE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    for seed in from..from + seeds {
        one_history(seed);
    }
}

/// In this one a later write is met before an earlier one.
#[test]
fn the_conflict_of_an_earlier_write_does_not_replace_that_of_a_later_one() {
    one_history(6642);
}

#[test]
fn a_conflict_is_decided_by_mine_theirs_or_a_value() {
    for (choice, expected) in [
        (Choice::Mine, r#"{"a":2,"b":1}"#),
        (Choice::Theirs, r#"{"a":3,"b":1}"#),
        (Choice::Other(Value::from(4u64)), r#"{"a":4,"b":1}"#),
    ] {
        let (mut server, mut device) = pair(r#"{"a":1}"#);
        assert!(device.write(
            r#"{"action":"update","level":"project","context_id":"p","patch":{"a":2,"b":1}}"#,
            1
        ));
        direct(
            &mut server,
            r#"{"action":"update","level":"project","context_id":"p","patch":{"a":3}}"#,
        )
        .unwrap();
        finish(&mut server, &mut device);
        let id = conflicts(&device)[0]["id"].as_str().unwrap().to_owned();
        let (operations, step) = device.replica.settle(&id, choice).unwrap();
        for operation in operations {
            assert!(device.write(&String::from_utf8(json::write(&operation)).unwrap(), 2));
        }
        device.replica.absorb(step.entries.clone(), false).unwrap();
        device.keep(step);
        finish(&mut server, &mut device);
        assert_eq!(data(&server), serde_json::from_str::<serde_json::Value>(expected).unwrap());
        assert!(conflicts(&device).is_empty());
    }
}

#[test]
fn a_thousand_writes_take_ten_flights() {
    let (mut server, mut device) = pair("{}");
    for n in 0..1000 {
        let op = format!(
            r#"{{"action":"append","level":"project","context_id":"p","pointer":"/l","values":[{n}]}}"#
        );
        assert!(device.write(&op, n));
    }
    let mut flights = VecDeque::new();
    while device.replica.queued() > 0 {
        let step = device.replica.take_off(Moment(0)).unwrap();
        device.keep(step);
        let body = device.replica.under_way().unwrap().to_owned();
        let answer = server.batch(&body).unwrap();
        let step = device.replica.land(&parse(&answer)).unwrap();
        device.keep(step);
        device.hear(&mut server, None);
        flights.push_back(body);
    }
    assert_eq!(flights.len(), 10);
    let expected: Vec<u64> = (0..1000).collect();
    assert_eq!(data(&server)["l"], serde_json::json!(expected));
}

#[test]
fn what_is_missing_of_a_commit_is_told_by_the_next_connection() {
    let (mut server, mut device) = pair("{}");
    let both = r#"{"action":"update","level":"project","context_id":"p","patch":{"a":1}},
        {"action":"create","level":"project","context_id":"q","data":{"b":1}}"#;
    direct(&mut server, both).unwrap();
    device.hear(&mut server, Some(1));
    device.crash(&server);
    device.hear(&mut server, None);
    let q = device.replica.view(&Address::parse("project", "q").unwrap());
    assert_eq!(q.map(|view| view.text.clone()), Ok(br#"{"b":1}"#.to_vec()));
}

#[test]
fn conflicts_about_rules_and_parent_of_one_write_are_two() {
    let (mut server, mut device) = pair("{}");
    let made = r#"{"action":"create","level":"project","context_id":"q","data":{}},
        {"action":"create","level":"project","context_id":"r","data":{}},
        {"action":"create","level":"branch","context_id":"b","parent":"p","data":{}}"#;
    direct(&mut server, made).unwrap();
    device.hear(&mut server, None);
    assert!(device.write(
        r#"{"action":"put","level":"branch","context_id":"b","parent":"q","rules":{"/a":"union"},"data":{}}"#,
        1
    ));
    direct(
        &mut server,
        r#"{"action":"put","level":"branch","context_id":"b","parent":"r","rules":{"/a":"append"},"data":{}}"#,
    )
    .unwrap();
    finish(&mut server, &mut device);
    device.crash(&server);
    let aspects: Vec<_> =
        conflicts(&device).iter().map(|one| one["aspect"].as_str().unwrap().to_owned()).collect();
    assert_eq!(aspects, ["parent", "rules"]);
    let id = conflicts(&device)[0]["id"].as_str().unwrap().to_owned();
    let (_, step) = device.replica.settle(&id, Choice::Theirs).unwrap();
    device.replica.absorb(step.entries, false).unwrap();
    assert_eq!(conflicts(&device).len(), 1, "deciding one decides no other");
}

/// What a device shows of the insights of [`pair`]'s context, newest first.
fn insights(device: &Device) -> Vec<String> {
    let address = Address::parse("project", "p").unwrap();
    let ask = Read::Entries {
        address,
        kind: EntryKind::Insight,
        before: None,
        limit: 200,
        reveal: false,
    };
    let page: serde_json::Value =
        serde_json::from_slice(&device.replica.read(&ask, Moment(0)).unwrap().body).unwrap();
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["content"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn insights_of_others_come_and_own_ones_stand_once() {
    let (mut server, mut device) = pair("{}");
    let add = |content: &str| {
        format!(
            r#"{{"action":"add_insight","level":"project","context_id":"p","content":"{content}"}}"#
        )
    };
    direct(&mut server, &add("theirs")).unwrap();
    assert!(device.write(&add("mine"), 1));
    device.hear(&mut server, None);
    assert_eq!(insights(&device), ["mine", "theirs"]);
    let step = device.replica.take_off(Moment(0)).unwrap();
    device.keep(step);
    let answer = server.batch(device.replica.under_way().unwrap()).unwrap();
    let step = device.replica.land(&parse(&answer)).unwrap();
    device.keep(step);
    assert_eq!(insights(&device), ["mine", "theirs"], "landed, and not announced yet");
    device.hear(&mut server, Some(1));
    assert_eq!(insights(&device), ["mine", "theirs"], "announced, and not said to be all");
    device.hear(&mut server, None);
    assert_eq!(insights(&device), ["mine", "theirs"]);
    device.crash(&server);
    device.hear(&mut server, None);
    assert_eq!(insights(&device), ["mine", "theirs"]);
}

#[test]
fn an_own_insight_that_has_landed_stands_once_in_a_copy_that_is_fetched_anew() {
    let (mut server, mut device) = pair("{}");
    assert!(device.write(
        r#"{"action":"add_insight","level":"project","context_id":"p","content":"mine"}"#,
        1
    ));
    let step = device.replica.take_off(Moment(0)).unwrap();
    device.keep(step);
    let answer = server.batch(device.replica.under_way().unwrap()).unwrap();
    let step = device.replica.land(&parse(&answer)).unwrap();
    device.keep(step);
    device.fetch(&mut server);
    assert_eq!(insights(&device), ["mine"]);
    let address = Address::parse("project", "p").unwrap();
    let ask =
        Read::Resolve(Resolve { address, path: None, as_of: None, explain: false, reveal: false });
    let view: serde_json::Value =
        serde_json::from_slice(&device.replica.read(&ask, Moment(0)).unwrap().body).unwrap();
    assert_eq!(view["seq"], device.replica.seq());
}

/// Queues a write while another is under way, which lands then.
fn write_during(server: &mut Server, device: &mut Device, first: &str, then: &str) {
    assert!(device.write(first, 1));
    let step = device.replica.take_off(Moment(0)).unwrap();
    device.keep(step);
    assert!(device.write(then, 2));
    let answer = server.batch(device.replica.under_way().unwrap()).unwrap();
    let step = device.replica.land(&parse(&answer)).unwrap();
    device.keep(step);
    device.hear(server, None);
    finish(server, device);
}

#[test]
fn what_a_write_makes_takes_or_brings_back_along_is_in_no_conflict_with_the_next() {
    let branch = r#""level":"branch","context_id":"b""#;
    let made = format!(
        r#"{{"action":"create","level":"project","context_id":"q","data":{{}}}},
        {{"action":"create",{branch},"parent":"p","data":{{}}}}"#
    );
    let delete = r#"{"action":"delete","level":"project","context_id":"p","cascade":true}"#;
    let cases = [
        (
            vec![],
            r#"{"action":"create","level":"task","context_id":"t","parent":"b","create_parents":true,"data":{}}"#,
            format!(r#"{{"action":"update",{branch},"patch":{{"a":1}}}}"#),
        ),
        (
            vec![made.as_str()],
            delete,
            format!(r#"{{"action":"create",{branch},"parent":"q","data":{{"anew":1}}}}"#),
        ),
        (
            vec![made.as_str(), delete],
            r#"{"action":"restore","level":"project","context_id":"p"}"#,
            format!(r#"{{"action":"delete",{branch}}}"#),
        ),
    ];
    for (before, first, then) in cases {
        let (mut server, mut device) = pair("{}");
        for operations in before {
            direct(&mut server, operations).unwrap();
        }
        device.hear(&mut server, None);
        write_during(&mut server, &mut device, first, &then);
        assert!(conflicts(&device).is_empty(), "{first}: {:?}", conflicts(&device));
    }
}

#[test]
fn a_write_that_changes_nothing_makes_no_version_of_others_its_own() {
    let (mut server, mut device) = pair(r#"{"a":1}"#);
    let late = Device::new("y", &mut server);
    let update = |patch: &str| {
        format!(r#"{{"action":"update","level":"project","context_id":"p","patch":{patch}}}"#)
    };
    direct(&mut server, &update(r#"{"b":"theirs"}"#)).unwrap();
    device.hear(&mut server, None);
    assert!(device.write(&update(r#"{"a":1}"#), 1));
    finish(&mut server, &mut device);
    // Of another tab, which had not heard of the change.
    let write = vec![parse(&update(r#"{"b":"mine"}"#))];
    let decided = late.replica.write(write, "late", Moment(2)).unwrap();
    device.replica.queue(decided.kept.into_iter().map(|kept| (9, kept)).collect()).unwrap();
    device.hear(&mut server, None);
    finish(&mut server, &mut device);
    assert_eq!(data(&server)["b"], "theirs");
    assert_eq!(conflicts(&device)[0]["mine"], "mine");
}

#[test]
fn a_secret_that_was_the_same_before_refuses_nothing_of_its_batch() {
    let (mut server, mut device) = pair(r#"{"api_key":"same"}"#);
    let update = |patch: &str| {
        let context = r#""level":"project","context_id":"p""#;
        parse(&format!(r#"{{"action":"update",{context},"patch":{patch}}}"#))
    };
    let batch = vec![update(r#"{"api_key":"same"}"#), update(r#"{"a":1}"#)];
    let decided = device.replica.write(batch, "key", Moment(1)).unwrap();
    device.replica.queue((1..).zip(decided.kept).collect()).unwrap();
    finish(&mut server, &mut device);
    assert_eq!(data(&server)["a"], 1);
    assert!(conflicts(&device).is_empty(), "{:?}", conflicts(&device));
}

/// A replica knows the general names only, and no content: it sees the plaintext of its own writes.
#[test]
fn a_secret_that_only_the_server_knows_to_seal_refuses_nothing_of_its_batch() {
    let note = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    for (name, secret) in [("private_key", "same"), ("note", note)] {
        let (mut server, mut device) = pair(&format!(r#"{{"{name}":"{secret}"}}"#));
        let update = |patch: &str| {
            let context = r#""level":"project","context_id":"p""#;
            parse(&format!(r#"{{"action":"update",{context},"patch":{patch}}}"#))
        };
        let again = format!(r#"{{"{name}":"{secret}"}}"#);
        for (key, batch) in [("one", vec![update(&again)]), ("two", vec![update(r#"{"a":1}"#)])] {
            let decided = device.replica.write(batch, key, Moment(1)).unwrap();
            let from = if key == "one" { 1.. } else { 2.. };
            device.replica.queue(from.zip(decided.kept).collect()).unwrap();
        }
        finish(&mut server, &mut device);
        assert_eq!(data(&server)["a"], 1);
        assert!(data(&server)[name]["$sealed"].is_string());
        assert!(conflicts(&device).is_empty(), "{:?}", conflicts(&device));
        let view = device.replica.view(&Address::parse("project", "p").unwrap()).unwrap();
        assert!(!String::from_utf8_lossy(&view.text).contains(secret));
    }
}

#[test]
fn what_is_made_anew_with_the_rules_it_had_has_them() {
    let (mut server, mut device) = pair("{}");
    let q = r#""level":"project","context_id":"q""#;
    let put = format!(r#"{{"action":"put",{q},"data":{{"l":[2]}},"rules":{{"/l":"union"}}}}"#);
    let global = r#"{"action":"put","level":"global","context_id":"global","data":{"l":[1]}}"#;
    let delete = format!(r#"{{"action":"delete",{q}}}"#);
    for operation in [global, &put, &delete, &put] {
        direct(&mut server, operation).unwrap();
        device.hear(&mut server, None);
    }
    let view = device.replica.view(&Address::parse("project", "q").unwrap()).unwrap();
    assert_eq!(&*view.text, br#"{"l":[1,2]}"#);
}

#[test]
fn a_draft_is_brought_forward_and_stands_where_both_changed_a_place() {
    let base = r#"{"both":1,"l":[{"id":"a","v":1},{"id":"b","v":1}],"mine":1,"theirs":1}"#;
    let (mut server, mut device) = pair("{}");
    let p = Address::parse("project", "p").unwrap();
    let put = |data: &str| {
        let rules = r#""rules":{"/l":"keyed:id"}"#;
        format!(r#"{{"action":"put","level":"project","context_id":"p","data":{data},{rules}}}"#)
    };
    direct(&mut server, &put(base)).unwrap();
    let theirs = r#"{"both":2,"l":[{"id":"a","v":2},{"id":"b","v":1}],"mine":1,"theirs":2}"#;
    direct(&mut server, &put(theirs)).unwrap();
    device.hear(&mut server, None);
    let draft = r#"{"both":3,"l":[{"id":"a","v":1},{"id":"b","v":3}],"mine":2,"theirs":1}"#;
    let merge = |draft: &str| device.replica.merge(&p, &parse(base), &parse(draft));
    let merged = String::from_utf8(json::write(&merge(draft).unwrap())).unwrap();
    let data = r#"{"both":3,"l":[{"id":"a","v":2},{"id":"b","v":3}],"mine":2,"theirs":2}"#;
    assert_eq!(merged, format!(r#"{{"conflicts":["/both"],"data":{data}}}"#));
    let unchanged = String::from_utf8(json::write(&merge(base).unwrap())).unwrap();
    assert_eq!(unchanged, format!(r#"{{"conflicts":[],"data":{theirs}}}"#));
    assert_eq!(merge("[]").unwrap_err().pointer(), Some("/draft"));
    let gone = Address::parse("project", "gone").unwrap();
    let error = device.replica.merge(&gone, &parse(base), &parse(draft)).unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
}
