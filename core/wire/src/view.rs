//! A resolved view in an answer. This is the hot path of the product: it writes the frame and
//! copies the document into one buffer of the right size.

use alloc::{string::ToString, vec::Vec};

use super::{
    reply::{IgnoredText, LayerText, OriginText},
    text::{ObjectText, array},
};
use nacre_layers::{
    error::{Error, Result},
    explain::Explanation,
    json,
    value::{self, Object, Value},
};
use nacre_store::{plan::ViewReply, record::Record};

/// Room for the frame around a document, in bytes: four links of at most 180 bytes, and other
/// members.
const FRAME: usize = 1024;

/// Appends a view; `status` for a result within a batch.
pub(super) fn write(reply: &ViewReply, status: Option<u16>, out: &mut Vec<u8>) -> Result<()> {
    let document = reply.shown.as_ref().unwrap_or(&reply.view.text);
    out.reserve(FRAME + document.len());
    let mut object = ObjectText::open(out);
    array(object.member("chain"), &reply.chain, |out, record| {
        let mut link = ObjectText::open(out);
        link.string("id", record.address.id.as_str());
        link.string("level", record.address.level.as_str());
        link.number("version", record.version);
        link.close();
    });
    object.raw("data", document);
    object.string("hash", &reply.view.hash.to_string());
    object.string("id", reply.address.id.as_str());
    let explained = reply.explanation.as_ref().map(|explanation| explained(reply, explanation));
    let (ignored, origins) = explained.transpose()?.unzip();
    if let Some(ignored) = ignored {
        object.raw("ignored", &ignored);
    }
    object.string("level", reply.address.level.as_str());
    if let Some(origins) = origins {
        object.raw("origins", &origins);
    }
    object.number("seq", reply.seq);
    if let Some(status) = status {
        object.number("status", status.into());
    }
    object.close();
    Ok(())
}

/// The texts of `ignored` and `origins`.
fn explained(reply: &ViewReply, explanation: &Explanation) -> Result<(Vec<u8>, Vec<u8>)> {
    let record = |layer: usize| reply.chain.get(layer).map(|record| &**record);
    let layer = |layer: usize| record(layer).map(LayerText::of);
    let ignored: Vec<IgnoredText<'_>> = explanation
        .ignored
        .iter()
        .filter_map(|ignored| {
            let Record { address, version, .. } = record(ignored.layer)?;
            Some(IgnoredText {
                id: address.id.as_str(),
                level: address.level.as_str(),
                locked_by: layer(ignored.locked_by)?,
                pointer: &ignored.pointer,
                version: *version,
            })
        })
        .collect();
    let origins = explanation.origins.iter().filter_map(|origin| {
        let Record { address, version, updated_by, .. } = record(origin.layer)?;
        let text = OriginText {
            by: updated_by.as_str(),
            id: address.id.as_str(),
            level: address.level.as_str(),
            rule: &origin.rule,
            shadowed: origin
                .shadowed
                .iter()
                .filter_map(|shadowed| layer((*shadowed).into()))
                .collect(),
            version: *version,
        };
        Some(value::encode(&text).map(|text| (origin.pointer.clone(), text)))
    });
    let origins = Object::from_unsorted(origins.collect::<Result<_>>()?)
        .map_err(|_| Error::bug("a path has two origins"))?;
    Ok((json::write(&value::encode(&ignored)?), json::write(&Value::Object(origins))))
}
