//! What there is to say about a set of layers.

use nacre_core::{
    address::Address,
    id::ContextId,
    layer::Layer,
    level::Level,
    lint::{Context, Finding, lint},
    resolve::Link,
    rules::Rules,
    sensitive::SensitiveNames,
    value::{Object, Value},
};
use serde_json::json;

use crate::{Case, Json, Topic, from_serde, list, text};

pub(crate) const TOPIC: Topic = Topic::new("lint", &["layers"], &["findings"], answer);

fn answer(case: &Case) -> Vec<Json> {
    let mut given: Vec<Given> = list(&case["layers"])
        .iter()
        .map(|of| {
            let (data, rules) = (from_serde(&of["data"]), from_serde(&of["rules"]));
            Given::new(
                Level::parse(text(&of["level"])).expect("a level"),
                text(&of["id"]),
                of["parent"].as_str(),
                data.as_object().expect("data").clone(),
                Rules::from_object(rules.as_object().expect("rules")).expect("rules"),
            )
        })
        .collect();
    let findings = check(&given);
    given.reverse();
    assert_eq!(check(&given), findings, "the order of the layers matters");
    let findings = findings.iter().map(|finding| {
        json!({
            "kind": finding.kind.as_str(),
            "severity": finding.severity().as_str(),
            "context": finding.address.to_string(),
            "pointer": finding.pointer,
            "message": finding.message,
            "other": finding.other.as_ref().map(ToString::to_string),
            "bytes": finding.bytes,
        })
    });
    vec![findings.collect()]
}

/// A context that owns what it is made of.
#[derive(Clone, Debug)]
pub struct Given {
    /// What it is called.
    pub address: Address,
    /// What it says is above it.
    pub parent: Option<ContextId>,
    /// Its own data.
    pub layer: Layer,
    /// Its rules.
    pub rules: Rules,
}

impl Given {
    /// A context of these parts.
    ///
    /// # Panics
    /// When an id is none.
    pub fn new(level: Level, id: &str, parent: Option<&str>, data: Object, rules: Rules) -> Given {
        Given {
            address: Address::new(level, ContextId::parse(id).unwrap()).unwrap(),
            parent: parent.map(|parent| ContextId::parse(parent).unwrap()),
            layer: Layer::from_value(&Value::Object(data)).unwrap(),
            rules,
        }
    }

    fn context(&self) -> Context<'_> {
        let Given { address, parent, layer, rules } = self;
        Context { address: address.clone(), parent: parent.clone(), layer, rules }
    }

    /// It, as a part of a chain.
    pub fn link(&self) -> Link<'_> {
        Link { layer: &self.layer, rules: &self.rules }
    }
}

/// What is said of these contexts.
pub fn check(given: &[Given]) -> Vec<Finding> {
    let contexts: Vec<_> = given.iter().map(Given::context).collect();
    lint(&contexts, &SensitiveNames::default())
}
