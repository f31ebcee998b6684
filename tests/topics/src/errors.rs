//! Error texts: the problem that a client gets for each kind of refusal.
//!
//! `errors/store` refuses an operation of the owner, `errors/past` one on an opened export,
//! `errors/access` one of another caller, and `errors/input` a text that cannot be decoded. The
//! texts of the HTTP shell are in `errors/http`, which the Worker's own tests run.

use nacre_core::{
    address::Address,
    error::Result,
    id::{ContextId, User},
    limits,
    op::{Administration, Batch},
    record::Role,
    seal::MasterKeyring,
    sensitive::SensitiveNames,
    wire::{
        Answer, Cursor, import,
        live::Message,
        operation::{self, BatchBody, PreviewBody},
        problem, read_json, request,
    },
};

use crate::{Case, Json, Topic, from_serde, hex, list, text, world::World};

pub(crate) const STORE: Topic =
    Topic::new("errors/store", &["before", "operation"], &["problem"], store);
pub(crate) const PAST: Topic =
    Topic::new("errors/past", &["lines", "operation"], &["problem"], past);
pub(crate) const ACCESS: Topic = Topic::new(
    "errors/access",
    &["before", "members", "caller", "operation"],
    &["problem"],
    access,
);
pub(crate) const INPUT: Topic =
    Topic::new("errors/input", &["reader", "input"], &["problem"], input);

fn store(case: &Case) -> Vec<Json> {
    vec![refused(&mut begun(case), &case["operation"])]
}

fn past(case: &Case) -> Vec<Json> {
    let lines: Vec<String> = list(&case["lines"]).iter().map(Json::to_string).collect();
    let mut world = World::empty().opened(lines.join("\n").as_bytes()).expect("a store");
    vec![refused(&mut world, &case["operation"])]
}

fn access(case: &Case) -> Vec<Json> {
    let mut world = begun(case);
    for member in list(&case["members"]) {
        let user = User::parse(text(&member["user"])).expect("a user");
        let project = ContextId::parse(text(&member["project"])).expect("a project");
        let role = Role::parse(text(&member["role"])).expect("a role");
        world
            .run(Administration::PutMember { user, project, terms: role.into() })
            .expect("a member");
    }
    let (caller, item) = (&case["caller"], operation::item(from_serde(&case["operation"])));
    let op = item.expect("an operation").op;
    vec![of(world.run_as(text(&caller["user"]), text(&caller["scopes"]), op))]
}

fn input(case: &Case) -> Vec<Json> {
    let input = &case["input"];
    let value = || from_serde(input);
    vec![match text(&case["reader"]) {
        "json" => of(read_json(text(input).as_bytes())),
        "msgpack" => of(nacre_msgpack::read(&hex(text(input)), limits::DEPTH)),
        "batch" => of(request::decode::<BatchBody>(value()).and_then(BatchBody::into_batch)),
        "preview" => of(request::decode::<PreviewBody>(value())
            .and_then(|body| body.into_read(Address::global()))),
        "message" => of(Message::of(value())),
        "line" => of(import::line(input.to_string().as_bytes())),
        "state" => of(request::as_of(text(input))),
        "cursor" => of(Cursor::read_list(text(input))),
        "sensitive names" => of(SensitiveNames::parse(text(input))),
        "master keys" => of(MasterKeyring::parse(text(input))),
        other => panic!("no such reader: {other}"),
    }]
}

/// A world in which the operations of `before` have succeeded.
fn begun(case: &Case) -> World {
    let mut world = World::empty();
    for operation in list(&case["before"]) {
        let item = operation::item(from_serde(operation)).expect("an operation");
        let batch = Batch { transaction: true, operations: vec![Ok(item)] };
        world.run(batch).expect("an operation that succeeds");
    }
    world
}

/// The result of an operation in a batch, which is the problem with its place in the operation.
fn refused(world: &mut World, operation: &Json) -> Json {
    let operations = vec![operation::item(from_serde(operation))];
    let reply = world.run(Batch { transaction: false, operations }).expect("a batch");
    let answer = Answer::of(&reply, 0).expect("an answer");
    let mut body: Json = serde_json::from_slice(&answer.body).expect("JSON");
    let result = body["results"][0].take();
    assert!(result["code"].is_string(), "nothing was refused: {result}");
    result
}

/// The problem of a refusal.
fn of<T>(result: Result<T>) -> Json {
    match result {
        Ok(_) => panic!("nothing was refused"),
        Err(error) => serde_json::from_slice(&problem(&error)).expect("JSON"),
    }
}
