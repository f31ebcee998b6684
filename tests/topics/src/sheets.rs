//! Promotions and templates, step by step: requests, and what contexts hold in between.

use nacre_core::{
    address::Address,
    error::Error,
    id::{ContextId, User},
    op::{Administration, Command, Inspection, Read, Resolve},
    plan::Reply,
    promotion::{Standing, Verdict},
    record::Role,
    store::Reads as _,
    wire::{
        Answer, Cursor, operation, problem,
        promotion::{PromotionBody, settle},
        request,
        template::{self, BeginningBody},
    },
};

use crate::{Case, Json, Topic, from_serde, list, text, world::World};

pub(crate) const PROMOTION: Topic = Topic::new("promotion", GIVEN, &["answers"], answer);
pub(crate) const TEMPLATE: Topic = Topic::new("template", GIVEN, &["answers"], answer);

const GIVEN: &[&str] = &["operations", "writers", "steps"];

/// Members of the project `p` may write there. Each step is one user's, and does one thing.
fn answer(case: &Case) -> Vec<Json> {
    let mut world = World::empty();
    for operation in list(&case["operations"]) {
        let item = operation::item(from_serde(operation)).expect("an operation");
        world.run(item.op).expect("an operation that succeeds");
    }
    for user in list(&case["writers"]) {
        let user = User::parse(text(user)).expect("a user");
        let project = ContextId::parse("p").expect("a project");
        let terms = Role::Writer.into();
        world.run(Administration::PutMember { user, project, terms }).expect("a member");
    }
    let answers = list(&case["steps"]).iter().map(|step| step_of(&mut world, step));
    vec![answers.collect()]
}

fn step_of(world: &mut World, step: &Json) -> Json {
    let step = step.as_object().expect("a step");
    let by = text(&step["by"]);
    let (what, with) = step.iter().find(|(name, _)| *name != "by").expect("something to do");
    if what == "data" {
        let data = world.data(&address(text(with)));
        return data.map_or(Json::Null, |data| serde_json::from_slice(&data).expect("JSON"));
    }
    let outcome = command(what, with).and_then(|command| {
        world.run_as(by, "contexts:read contexts:write secrets:reveal", command)
    });
    match outcome {
        Ok(reply) => {
            let seq = world.store.seq().expect("a seq");
            let Answer { status, body, .. } = Answer::of(&reply, seq).expect("an answer");
            let mut body: Json = match body.is_empty() {
                true => Json::Object(Case::default()),
                false => serde_json::from_slice(&body).expect("JSON"),
            };
            if let Reply::View(_) = reply {
                return body["data"].take();
            }
            body["status"] = status.into();
            body
        }
        Err(error) => serde_json::from_slice(&problem(&error)).expect("JSON"),
    }
}

fn command(what: &str, with: &Json) -> Result<Command, Error> {
    let verdict = |verdict| settle(text(with), verdict).map(Into::into);
    match what {
        "propose" => {
            let body = PromotionBody::read(from_serde(with))?;
            body.into_administration().map(Into::into)
        }
        "approve" => verdict(Verdict::Approve),
        "decline" => verdict(Verdict::Decline),
        "undo" => verdict(Verdict::Undo),
        "list" => Ok(Inspection::Promotions {
            standing: with["state"].as_str().map(Standing::parse).transpose()?,
            before: with["cursor"].as_str().map(Cursor::read_promotion).transpose()?,
            limit: with["limit"].as_u64().unwrap_or(50) as usize,
        }
        .into()),
        "templates" => Ok(Inspection::Templates.into()),
        "template" => Ok(Inspection::Template(ContextId::parse(text(with))?).into()),
        "put" => {
            let name = ContextId::parse(text(&with["name"]))?;
            let members = request::decode(from_serde(&with["body"]))?;
            template::put(name, members).map(Into::into)
        }
        "delete" => Ok(Administration::DeleteTemplate(ContextId::parse(text(with))?).into()),
        "create" => {
            let body = BeginningBody::read(from_serde(&with["body"]))?;
            body.into_administration(ContextId::parse(text(&with["name"]))?).map(Into::into)
        }
        "operation" => operation::item(from_serde(with)).map(|item| item.op.into()),
        "view" => Ok(Read::Resolve(Resolve {
            address: address(text(with)),
            path: None,
            as_of: None,
            explain: false,
            reveal: false,
        })
        .into()),
        "reveal" => Ok(Read::Resolve(Resolve {
            address: address(text(with)),
            path: None,
            as_of: None,
            explain: false,
            reveal: true,
        })
        .into()),
        "history" => {
            let address = address(text(with));
            Ok(Read::History { address, before: None, limit: 10 }.into())
        }
        "audit" => Ok(Inspection::Audit { before: None, limit: 3 }.into()),
        other => panic!("no such step: {other}"),
    }
}

fn address(text: &str) -> Address {
    let (level, id) = text.split_once('/').expect("an address");
    Address::parse(level, id).expect("an address")
}
