//! A resolved view in an answer. This is the hot path of the product: it writes the frame and
//! copies the document into one buffer of the right size.

use alloc::{string::ToString, vec::Vec};

use super::text::{ObjectText, array};
use nacre_layers::{
    explain::{Explanation, Origin},
    json,
    sort::sort_by,
    value::compare_names,
};
use nacre_store::{plan::ViewReply, record::Record};

/// Room for the frame around a document, in bytes: four links of at most 180 bytes, and other
/// members.
const FRAME: usize = 1024;

/// Appends a view; `status` for a result within a batch.
pub(super) fn write(reply: &ViewReply, status: Option<u16>, out: &mut Vec<u8>) {
    let document = reply.shown.as_ref().unwrap_or(&reply.view.text);
    out.reserve(FRAME + document.len());
    let mut object = ObjectText::open(out);
    array(object.member("chain"), &reply.chain, |out, record| write_layer(record, out));
    object.raw("data", document);
    object.string("hash", &reply.view.hash.to_string());
    object.string("id", reply.address.id.as_str());
    if let Some(explanation) = &reply.explanation {
        write_ignored(reply, explanation, object.member("ignored"));
    }
    object.string("level", reply.address.level.as_str());
    if let Some(explanation) = &reply.explanation {
        write_origins(reply, explanation, object.member("origins"));
    }
    object.number("seq", reply.seq);
    if let Some(status) = status {
        object.number("status", status.into());
    }
    object.close();
}

fn write_layer(record: &Record, out: &mut Vec<u8>) {
    let mut layer = ObjectText::open(out);
    layer.string("id", record.address.id.as_str());
    layer.string("level", record.address.level.as_str());
    layer.number("version", record.version);
    layer.close();
}

fn write_ignored(reply: &ViewReply, explanation: &Explanation, out: &mut Vec<u8>) {
    array(out, &explanation.ignored, |out, ignored| {
        let Some(record) = reply.chain.get(ignored.layer) else { return };
        let locked_by = ignored.locked_by.and_then(|layer| reply.chain.get(layer));
        let mut object = ObjectText::open(out);
        object.string("id", record.address.id.as_str());
        object.string("level", record.address.level.as_str());
        match locked_by {
            Some(record) => write_layer(record, object.member("locked_by")),
            None => object.raw("locked_by", b"null"),
        }
        object.string("pointer", &ignored.pointer);
        object.number("version", record.version);
        object.close();
    });
}

/// Writes the origins by their pointers. There may be many, so no tree is made of them.
fn write_origins(reply: &ViewReply, explanation: &Explanation, out: &mut Vec<u8>) {
    let mut origins: Vec<&Origin> = explanation.origins.iter().collect();
    sort_by(&mut origins, |a, b| compare_names(&a.pointer, &b.pointer));
    out.push(b'{');
    for (at, origin) in origins.into_iter().enumerate() {
        let Some(record) = reply.chain.get(origin.layer) else { continue };
        if at > 0 {
            out.push(b',');
        }
        json::write_string(&origin.pointer, out);
        out.push(b':');
        let mut object = ObjectText::open(out);
        object.string("by", record.updated_by.as_str());
        object.string("id", record.address.id.as_str());
        object.string("level", record.address.level.as_str());
        object.string("rule", &origin.rule);
        let shadowed = origin.shadowed.iter();
        let shadowed = shadowed.filter_map(|layer| reply.chain.get(usize::from(*layer)));
        array(object.member("shadowed"), shadowed, |out, record| write_layer(record, out));
        object.number("version", record.version);
        object.close();
    }
    out.push(b'}');
}
