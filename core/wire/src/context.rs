//! A context in an answer. The text of its layer is copied, not parsed.

use alloc::{string::ToString, vec::Vec};

use super::text::{ObjectText, array};
use nacre_layers::{json, rules::Rules};
use nacre_store::plan::{ContextReply, Warning};

/// Room for everything except data and rules, in bytes.
const FRAME: usize = 768;

/// Appends a context; `status` for a result within a batch.
pub(super) fn write(reply: &ContextReply, status: Option<u16>, out: &mut Vec<u8>) {
    let (context, layer) = (&*reply.shown, reply.shown.layer());
    out.reserve(FRAME + layer.map_or(0, |layer| layer.text().len()));
    let mut object = ObjectText::open(out);
    object.string("created_at", &context.created_at.to_string());
    match (&reply.revealed, layer) {
        (Some(revealed), _) => json::write_to(revealed, object.member("data")),
        (None, Some(layer)) => object.raw("data", layer.text()),
        (None, None) => {}
    }
    object.string("id", context.address.id.as_str());
    object.string("level", context.address.level.as_str());
    write_warnings(&reply.warnings, &mut object);
    object.option("parent", context.parent.as_ref().map(|parent| parent.as_str()));
    write_rules(&context.rules, object.member("rules"));
    if let Some(status) = status {
        object.number("status", status.into());
    }
    object.string("updated_at", &context.updated_at.to_string());
    object.string("updated_by", context.updated_by.as_str());
    object.number("version", context.version);
    object.close();
}

/// Appends the member `notices`, if there are any.
fn write_warnings(warnings: &[Warning], object: &mut ObjectText<'_>) {
    if !warnings.is_empty() {
        array(object.member("notices"), warnings, |out, warning| {
            let mut notice = ObjectText::open(out);
            notice.string("code", warning.code);
            notice.string("detail", &warning.detail);
            notice.string("pointer", &warning.pointer);
            notice.close();
        });
    }
}

/// Appends the rules of a context.
pub(super) fn write_rules(rules: &Rules, out: &mut Vec<u8>) {
    if rules.is_empty() {
        out.extend_from_slice(b"{}");
    } else {
        json::write_to(&rules.to_object().into(), out);
    }
}
