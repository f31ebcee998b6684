//! Writes that the server refuses: each is told once, stops nothing, and is retried or discarded.

use nacre_core::{address::Address, error::Code, moment::Moment};
use nacre_topics::{
    device::{Device, conflicts, data, direct, finish, pair, refused},
    parse,
};

#[test]
fn writes_that_no_request_can_carry_together_are_refused_at_once() {
    let (_, device) = pair("{}");
    let long = "x".repeat(900 << 10);
    let writes = (0..5).map(|n| {
        parse(&format!(
            r#"{{"action":"create","level":"project","context_id":"l{n}","data":{{"l":"{long}"}}}}"#
        ))
    });
    let refused = device.replica.write(writes.collect(), "key", Moment(1));
    assert_eq!(refused.err().map(|error| error.code()), Some(Code::TooLarge));
}

#[test]
fn what_is_refused_as_a_whole_goes_in_parts_or_is_refused_alone() {
    let (mut server, mut device) = pair("{}");
    let write = |n: u64, longest: usize| {
        let value = "x".repeat(longest);
        format!(
            r#"{{"action":"update","level":"project","context_id":"p","patch":{{"v{n}":"{value}"}}}}"#
        )
    };
    for n in 0..10 {
        assert!(device.write(&write(n, if n == 7 { 5000 } else { 1000 }), n));
    }
    let refusal = r#"{"code":"too-large","status":413,"title":"too large","detail":"by a proxy"}"#;
    for _ in 0..30 {
        let step = device.replica.take_off(Moment(0)).unwrap();
        device.keep(step);
        let Some(body) = device.replica.under_way().map(String::from) else { break };
        let step = if body.len() > 4000 {
            device.replica.turn_back(&parse(refusal)).unwrap()
        } else {
            device.replica.land(&parse(&server.batch(&body).unwrap())).unwrap()
        };
        device.keep(step);
        device.hear(&mut server, None);
    }
    assert_eq!(device.replica.queued(), 0);
    assert_eq!(data(&server).as_object().unwrap().len(), 9);
    let [told] = &device.refusals()[..] else { panic!("one refusal: {:?}", device.told) };
    assert_eq!((&told["key"], &told["problem"]["code"]), (&"x7".into(), &"too-large".into()));
    assert_eq!(refused(&device), ["x7"]);
}

#[test]
fn a_store_that_was_set_back_holds_nothing_up_and_is_not_written_over() {
    let (mut server, mut device) = pair(r#"{"a":1}"#);
    let update = |value: u64| {
        format!(
            r#"{{"action":"update","level":"project","context_id":"p","patch":{{"a":{value}}}}}"#
        )
    };
    direct(&mut server, &update(2)).unwrap();
    device.hear(&mut server, None);
    assert!(device.write(&update(3), 1));
    let step = device.replica.take_off(Moment(0)).unwrap();
    device.keep(step);
    let answer = server.batch(device.replica.under_way().unwrap()).unwrap();
    let step = device.replica.land(&parse(&answer)).unwrap();
    device.keep(step);
    assert!(device.write(&update(4), 2));
    // It was erased, and begun anew by somebody else.
    let (mut server, _) = pair(r#"{"a":"other"}"#);
    device.fetch(&mut server);
    finish(&mut server, &mut device);
    assert_eq!(data(&server)["a"], "other");
    assert_eq!(refused(&device), ["x2"], "the write that had not been sent");
}

const CONTEXT: &str = r#""level":"project","context_id":"p""#;

fn update(patch: &str) -> String {
    format!(r#"{{"action":"update",{CONTEXT},"patch":{patch}}}"#)
}

/// The view that a device shows of [`pair`]'s context.
fn shown(device: &Device) -> String {
    let view = device.replica.view(&Address::parse("project", "p").unwrap()).unwrap();
    String::from_utf8(view.text.to_vec()).unwrap()
}

#[test]
fn a_refused_write_leaves_the_view_as_the_server_has_it_and_stops_nothing() {
    let (mut server, mut device) = pair(r#"{"l":[]}"#);
    let append = format!(r#"{{"action":"append",{CONTEXT},"pointer":"/l","values":["mine"]}}"#);
    assert!(device.write(&append, 1));
    assert!(device.write(&update(r#"{"other":1}"#), 2));
    direct(&mut server, &update(r#"{"l":"no list"}"#)).unwrap();
    finish(&mut server, &mut device);
    assert_eq!(refused(&device), ["x1"]);
    assert_eq!(device.refusals().len(), 1, "it is told once");
    assert_eq!(device.refusals()[0]["problem"]["code"], "merge-conflict");
    assert_eq!(device.refusals()[0]["operation"]["values"], serde_json::json!(["mine"]));
    assert_eq!(shown(&device), r#"{"l":"no list","other":1}"#);
    // Others' changes and other writes go on, over a restart too.
    device.crash(&server);
    direct(&mut server, &update(r#"{"theirs":2}"#)).unwrap();
    assert!(device.write(&update(r#"{"later":3}"#), 3));
    finish(&mut server, &mut device);
    assert_eq!(shown(&device), r#"{"l":"no list","later":3,"other":1,"theirs":2}"#);
    assert_eq!(refused(&device), ["x1"]);
    // The reason is gone, so it goes through now.
    direct(&mut server, &update(r#"{"l":[]}"#)).unwrap();
    finish(&mut server, &mut device);
    let step = device.replica.retry("x1").unwrap();
    device.keep(step);
    assert_eq!(device.replica.queued(), 1);
    finish(&mut server, &mut device);
    assert_eq!(data(&server)["l"], serde_json::json!(["mine"]));
    assert!(refused(&device).is_empty());
}

#[test]
fn a_caller_who_may_not_write_has_every_write_refused_at_once() {
    let (mut server, mut device) = pair(r#"{"a":1}"#);
    for n in 1..=5 {
        assert!(device.write(&update(&format!(r#"{{"v{n}":{n}}}"#)), n));
    }
    let step = device.replica.take_off(Moment(0)).unwrap();
    device.keep(step);
    let refusal =
        r#"{"code":"forbidden","status":403,"title":"no","detail":"the scope is missing"}"#;
    let step = device.replica.turn_back(&parse(refusal)).unwrap();
    device.keep(step);
    assert_eq!(refused(&device), ["x1", "x2", "x3", "x4", "x5"]);
    assert_eq!(device.refusals().len(), 5);
    assert_eq!((device.replica.queued(), device.replica.refused()), (0, 5));
    assert_eq!(shown(&device), r#"{"a":1}"#);
    direct(&mut server, &update(r#"{"a":2}"#)).unwrap();
    device.hear(&mut server, None);
    assert_eq!(shown(&device), r#"{"a":2}"#);
    for key in refused(&device) {
        let step = device.replica.retry(&key).unwrap();
        device.keep(step);
    }
    finish(&mut server, &mut device);
    assert_eq!(data(&server)["v5"], 5);
}

#[test]
fn writes_that_build_on_a_refused_one_are_refused_with_it() {
    let (mut server, mut device) = pair("{}");
    let task = r#""level":"branch","context_id":"new""#;
    assert!(device.write(&format!(r#"{{"action":"create",{task},"parent":"p","data":{{}}}}"#), 1));
    assert!(device.write(&format!(r#"{{"action":"update",{task},"patch":{{"a":1}}}}"#), 2));
    let step = device.replica.take_off(Moment(0)).unwrap();
    device.keep(step);
    let refusal =
        r#"{"code":"too-large","failed_operation":0,"status":413,"title":"t","detail":"d"}"#;
    let step = device.replica.turn_back(&parse(refusal)).unwrap();
    device.keep(step);
    assert_eq!(refused(&device), ["x1", "x2"]);
    assert_eq!(device.refusals()[1]["problem"]["code"], "not-found");
    finish(&mut server, &mut device);
}

#[test]
fn a_discarded_write_is_gone_and_what_it_was_in_conflict_with_stands() {
    let (mut server, mut device) = pair(r#"{"a":1}"#);
    assert!(device.write(&update(r#"{"a":2,"b":1}"#), 1));
    assert!(device.write(&update(r#"{"c":1}"#), 2));
    let step = device.replica.discard("x2").unwrap();
    device.keep(step);
    assert_eq!(shown(&device), r#"{"a":2,"b":1}"#);
    direct(&mut server, &update(r#"{"a":3}"#)).unwrap();
    let step = device.replica.take_off(Moment(0)).unwrap();
    device.keep(step);
    assert_eq!(device.replica.discard("x1").unwrap_err().code(), Code::InvalidRequest);
    finish(&mut server, &mut device);
    assert_eq!(conflicts(&device).len(), 1);
    let step = device.replica.discard("x1").unwrap();
    device.keep(step);
    assert!(conflicts(&device).is_empty());
    device.crash(&server);
    assert!(conflicts(&device).is_empty());
    assert_eq!(device.replica.discard("x1").unwrap_err().code(), Code::NotFound);
    assert_eq!(device.replica.retry("x1").unwrap_err().code(), Code::NotFound);
    assert_eq!(shown(&device), r#"{"a":3,"b":1}"#);
}

#[test]
fn an_edit_whose_ground_is_gone_is_kept_as_it_is() {
    let (mut server, mut device) = pair(r#"{"a":1}"#);
    let context = r#""level":"project","context_id":"p""#;
    assert!(device.write(&update(r#"{"list":[1]}"#), 1));
    assert!(device.write(&format!(r#"{{"action":"put",{context},"data":{{"a":"mine"}}}}"#), 2));
    direct(&mut server, &update(r#"{"o":1}"#)).unwrap();
    device.hear(&mut server, None); // the second takes the list of the first away
    direct(&mut server, &format!(r#"{{"action":"delete",{context}}}"#)).unwrap();
    let step = device.replica.take_off(Moment(0)).unwrap();
    device.keep(step);
    let problem = server.batch(device.replica.under_way().unwrap()).unwrap_err();
    let step = device.replica.turn_back(&parse(&problem)).unwrap();
    device.keep(step);
    device.hear(&mut server, None);
    let all = serde_json::to_string(&(conflicts(&device), &device.refusals())).unwrap();
    assert!(all.contains(r#""mine""#) && all.contains(r#":"mine""#), "{all}");
}

#[test]
fn a_move_of_what_is_gone_is_kept_as_a_move() {
    let (mut server, mut device) = pair("{}");
    let branch = r#""level":"branch","context_id":"b""#;
    for made in [
        r#"{"action":"create","level":"project","context_id":"q","data":{"of":"q"}}"#.to_owned(),
        format!(r#"{{"action":"create",{branch},"parent":"p","data":{{}}}}"#),
    ] {
        direct(&mut server, &made).unwrap();
    }
    device.hear(&mut server, None);
    assert!(device.write(&format!(r#"{{"action":"move",{branch},"parent":"q"}}"#), 1));
    direct(&mut server, &format!(r#"{{"action":"delete",{branch}}}"#)).unwrap();
    finish(&mut server, &mut device);
    assert_eq!(refused(&device), ["x1"]);
    assert_eq!(device.refusals()[0]["operation"]["parent"], "q");

    // Brought back, it can be moved after all.
    direct(&mut server, &format!(r#"{{"action":"restore",{branch}}}"#)).unwrap();
    device.hear(&mut server, None);
    let step = device.replica.retry("x1").unwrap();
    device.keep(step);
    finish(&mut server, &mut device);
    assert!(refused(&device).is_empty());
    let view = device.replica.view(&Address::parse("branch", "b").unwrap()).unwrap();
    assert_eq!(&*view.text, br#"{"of":"q"}"#);
}
