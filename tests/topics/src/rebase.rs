//! What a replica's writes come to when others wrote in the meantime: what the server has then, and
//! what is in conflict, and what is refused.

use crate::{
    Case, Json, Topic,
    device::{conflicts, data, direct, finish, pair},
    list,
};

pub(crate) const TOPIC: Topic =
    Topic::new("rebase", &["data", "mine", "theirs"], &["result", "conflicts", "refused"], answer);

/// What vectors say of a conflict.
const SAID: [&str; 5] = ["aspect", "pointer", "ancestor", "theirs", "mine"];

fn answer(case: &Case) -> Vec<Json> {
    let (mut server, mut device) = pair(&case["data"].to_string());
    for (n, op) in list(&case["mine"]).iter().enumerate() {
        assert!(device.write(&op.to_string(), n as u64), "refused: {op}");
    }
    for op in list(&case["theirs"]) {
        direct(&mut server, &op.to_string()).unwrap_or_else(|problem| panic!("{problem}: {op}"));
    }
    finish(&mut server, &mut device);
    let mut found = conflicts(&device);
    for conflict in found.iter_mut().filter_map(Json::as_object_mut) {
        conflict.retain(|member, _| SAID.contains(&member.as_str()));
    }
    let refused = device.refusals().into_iter().map(|refused| {
        serde_json::json!({"action": refused["action"], "code": refused["problem"]["code"]})
    });
    let refused = refused.collect::<Vec<_>>();
    vec![data(&server), found.into(), refused.into()]
}
