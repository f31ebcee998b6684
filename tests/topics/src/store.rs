//! Operations one after the other, and what each answers.

use nacre_core::{
    op::Batch,
    store::Reads as _,
    wire::{Answer, operation},
};

use crate::{Case, Json, Topic, from_serde, list, world::World};

pub(crate) const TOPIC: Topic = Topic::new("store", &["operations"], &["results"], answer);

fn answer(case: &Case) -> Vec<Json> {
    let mut world = World::empty();
    let results = list(&case["operations"]).iter().map(|operation| {
        let operations = vec![operation::item(from_serde(operation))];
        let reply = world.run(Batch { transaction: false, operations });
        let seq = world.store.seq().expect("a seq");
        let answer = Answer::of(&reply.expect("a batch"), seq).expect("an answer");
        let mut body: Json = serde_json::from_slice(&answer.body).expect("JSON");
        body["results"][0].take()
    });
    vec![results.collect()]
}
