//! Where JSON Pointers lead.

use nacre_core::pointer::Pointer;

use crate::{Case, Json, Topic, error, from_serde, text, to_serde};

pub(crate) const TOPIC: Topic =
    Topic::new("pointer", &["document", "pointer"], &["found", "value", "error"], answer);

fn answer(case: &Case) -> Vec<Json> {
    let mut document = from_serde(&case["document"]);
    let pointer = Pointer::parse(text(&case["pointer"]));
    let found = pointer.as_ref().ok().and_then(|pointer| pointer.get(&document)).cloned();
    if let Ok(pointer) = &pointer {
        assert_eq!(pointer.get_mut(&mut document).cloned(), found);
    }
    vec![found.is_some().into(), found.as_ref().map(to_serde).into(), error(&pointer)]
}
