//! A reply as bytes: status, ETag, location and canonical JSON.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::Serialize;

use super::{
    context,
    cursor::Cursor,
    problem::problem,
    promotion,
    reply::{
        AuditText, DeletedText, DiffText, EntryText, ImportedText, LayerText, MemberText,
        MembersText, NoticeText, PageText, PreviewText, RestoredText, RevocationText,
        RevocationsText, VersionText,
    },
    template,
    text::{ObjectText, array},
    view,
};
use nacre_layers::{
    error::{Code, Error, Result},
    hash::Hash,
    json,
    value::{self, Object, Value},
};
use nacre_store::{
    op::Idempotency,
    plan::{Plan, Remember, Replayed, Reply, ViewReply},
    record::{Heading, Replay},
    store::Write,
};

/// An encoded reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The store's `seq` after the request.
    pub seq: u64,
    /// The ETag with quotes; `None` if the answer has none.
    pub etag: Option<String>,
    /// The path of the new context; `None` if there is none.
    pub location: Option<String>,
    /// Canonical JSON; empty for 204.
    pub body: Vec<u8>,
    /// Whether this is the answer to an earlier request with the same key.
    pub replayed: bool,
}

impl Answer {
    /// Encodes a reply; `seq` is the store's `seq` after the request.
    ///
    /// # Errors
    /// `internal` if a reply has no JSON form; `store-unavailable` if the stored answer to an
    /// earlier request cannot be read.
    pub fn of(reply: &Reply, seq: u64) -> Result<Answer> {
        match reply {
            Reply::Replayed(replayed) => again(replayed, write_servers),
            _ => Answer::with(reply, seq, write_servers),
        }
    }

    /// Encodes a reply of `read_ahead` or `edit_ahead` of [`decide`](nacre_store::decide), which give none of
    /// those that only the server gives: a module that names only this carries no code for them.
    ///
    /// # Errors
    /// As [`Answer::of`].
    pub fn ahead(reply: &Reply, seq: u64) -> Result<Answer> {
        Answer::with(reply, seq, |_, _, _, _| Err(Error::bug("only the server gives this reply")))
    }

    /// Encodes a reply of `decide_alone` of [`decide`](nacre_store::decide), which gives none that tells of
    /// members, tokens, templates and promotions.
    ///
    /// # Errors
    /// As [`Answer::of`].
    pub fn alone(reply: &Reply, seq: u64) -> Result<Answer> {
        match reply {
            Reply::Replayed(replayed) => again(replayed, write_alone),
            _ => Answer::with(reply, seq, write_alone),
        }
    }

    fn with(reply: &Reply, seq: u64, others: Others) -> Result<Answer> {
        let mut body = Vec::new();
        write(reply, seq, None, others, &mut body)?;
        Ok(Answer {
            status: status_of(reply),
            seq,
            etag: etag(reply),
            location: match reply {
                Reply::Context(context) if context.created => {
                    Some(format!("/v1/contexts/{}", context.shown.address))
                }
                _ => None,
            },
            body,
            replayed: false,
        })
    }

    /// The answer as bytes, to store for a repeated idempotency key.
    ///
    /// ```text
    /// 1 · status u16 · seq u64 · etag length u16 · location length u16 · etag · location · body
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let etag = self.etag.as_deref().unwrap_or_default();
        let location = self.location.as_deref().unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEADER + etag.len() + location.len() + self.body.len());
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.status.to_be_bytes());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        for text in [etag, location] {
            // Both are short: a hash or an address, and a few letters.
            bytes.extend_from_slice(&u16::try_from(text.len()).unwrap_or(0).to_be_bytes());
        }
        bytes.extend_from_slice(etag.as_bytes());
        bytes.extend_from_slice(location.as_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Reads the bytes of [`Answer::to_bytes`]. The answer counts as replayed.
    ///
    /// # Errors
    /// `store-unavailable` for other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Answer> {
        parse(bytes).ok_or_else(|| {
            Error::new(
                Code::StoreUnavailable,
                "the stored answer to this idempotency key cannot be read",
            )
        })
    }
}

/// Adds the rows that let a store repeat its answer, in the form that `encode` gives it, [`Answer::of`] or
/// [`Answer::alone`]. A shell calls this before it applies a plan: `decide` says which replies to remember,
/// but not their form outside.
///
/// # Errors
/// As [`Answer::of`].
pub fn remember(plan: &mut Plan, encode: fn(&Reply, u64) -> Result<Answer>) -> Result<()> {
    for remember in core::mem::take(&mut plan.remember) {
        let seq = plan.seq;
        let answer = plan.remembered(&remember, |reply| encode(reply, seq));
        let Some(answer) = answer.transpose()?.map(|answer| answer.to_bytes()) else { continue };
        let Remember { user, idempotency: Idempotency { key, request }, expires, .. } = remember;
        plan.writes.push(Write::Replay(Replay { user, key, request, answer, expires }));
    }
    Ok(())
}

/// The stored answer, as the caller may read it today.
fn again(replayed: &Replayed, others: Others) -> Result<Answer> {
    let Replayed { answer, reads, data } = replayed;
    let mut answer = Answer::from_bytes(answer)?;
    if (reads.is_empty() && *data) || answer.body.is_empty() {
        return Ok(answer);
    }
    let Value::Object(mut body) = super::read_json(&answer.body)? else {
        return Err(Error::bug("an answer is no object"));
    };
    if !data {
        body.remove("data");
    }
    if let Some(Value::Array(results)) = body.get_mut("results") {
        if !data {
            // Conflicts of a refused operation show stored values.
            results.iter_mut().filter_map(Value::as_object_mut).for_each(|result| {
                result.remove("conflicts");
            });
        }
        for (index, read) in reads {
            let mut text = Vec::new();
            match read {
                Ok(reply) => {
                    write(reply, answer.seq, Some(status_of(reply)), others, &mut text)?;
                }
                Err(error) => text = problem(error),
            }
            if let Some(place) = results.get_mut(*index) {
                *place = super::read_json(&text)?;
            }
        }
    }
    answer.body = json::write(&Value::Object(body));
    Ok(answer)
}

const FORMAT: u8 = 1;
const HEADER: usize = 1 + 2 + 8 + 2 + 2;

fn parse(bytes: &[u8]) -> Option<Answer> {
    let (format, rest) = bytes.split_first()?;
    let (status, rest) = rest.split_first_chunk()?;
    let (seq, rest) = rest.split_first_chunk()?;
    let (etag_length, rest) = rest.split_first_chunk()?;
    let (location_length, rest) = rest.split_first_chunk()?;
    let (etag, rest) = rest.split_at_checked(u16::from_be_bytes(*etag_length).into())?;
    let (location, body) = rest.split_at_checked(u16::from_be_bytes(*location_length).into())?;
    let text = |bytes: &[u8]| Some(core::str::from_utf8(bytes).ok()?.to_string());
    let optional = |text: String| (!text.is_empty()).then_some(text);
    (*format == FORMAT).then_some(())?;
    Some(Answer {
        status: u16::from_be_bytes(*status),
        seq: u64::from_be_bytes(*seq),
        etag: optional(text(etag)?),
        location: optional(text(location)?),
        body: body.to_vec(),
        replayed: true,
    })
}

/// The ETag of a reply, with quotes. It is known without encoding the reply.
///
/// A context has `"v<version>"` and a view `"<content hash>"`. Other representations of a view
/// differ: `.s` follows if a part or revealed values are shown; `.<hash>` of the chain's versions
/// follows with origins, which may change while the view does not.
pub fn etag(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Context(context) => Some(version_etag(&context.shown)),
        Reply::Restored { record, .. } => Some(version_etag(record)),
        Reply::View(view) => Some(view_etag(view)),
        _ => None,
    }
}

fn version_etag(context: &Heading) -> String {
    format!("\"v{}\"", context.version)
}

fn view_etag(reply: &ViewReply) -> String {
    let mut etag = format!("\"{}", reply.view.hash);
    if reply.shown.is_some() {
        etag.push_str(".s");
    }
    if reply.explanation.is_some() {
        let mut chain = String::new();
        for record in &reply.chain {
            chain.push_str(&format!("{}@{} ", record.address, record.version));
        }
        etag.push('.');
        etag.push_str(&Hash::of(chain.as_bytes()).to_string());
    }
    etag.push('"');
    etag
}

fn status_of(reply: &Reply) -> u16 {
    match reply {
        Reply::Context(context) if context.created => 201,
        Reply::Entry(_) => 201,
        Reply::Promotion(reply) if reply.is_new => 201,
        Reply::Template(reply) if reply.is_new => 201,
        Reply::Expelled | Reply::Unrevoked | Reply::Ended => 204,
        _ => 200,
    }
}

/// Appends a reply's JSON as a result of a batch, with its status.
pub(crate) fn write_result(reply: &Reply, seq: u64, out: &mut Vec<u8>) -> Result<()> {
    write(reply, seq, Some(status_of(reply)), write_servers, out)
}

/// Appends the JSON of a reply that [`write()`] leaves to it.
type Others = fn(&Reply, u64, Option<u16>, &mut Vec<u8>) -> Result<()>;

/// Appends a reply's JSON. In a batch, `within` is the status of the result, which becomes a
/// member.
fn write(
    reply: &Reply,
    seq: u64,
    within: Option<u16>,
    others: Others,
    out: &mut Vec<u8>,
) -> Result<()> {
    match reply {
        Reply::Context(reply) => {
            context::write(reply, within, out);
            Ok(())
        }
        Reply::View(reply) => {
            view::write(reply, within, out);
            Ok(())
        }
        Reply::Contexts { items, next } => {
            let mut page = ObjectText::open(out);
            array(page.member("items"), items, |out, item| context::write(item, None, out));
            page.option("next_cursor", next.as_ref().map(Cursor::list).as_deref());
            if let Some(status) = within {
                page.number("status", status.into());
            }
            page.close();
            Ok(())
        }
        Reply::Batch(results) => {
            let mut batch = ObjectText::open(out);
            let mut failed = Ok(());
            array(batch.member("results"), results, |out, result| {
                let written = match result {
                    Ok(Reply::Repeated(index)) => match results.get(*index) {
                        Some(Ok(first)) => Answer::with(first, seq, others).and_then(|first| {
                            let answer = first.to_bytes();
                            let replayed = Replayed { answer, reads: Vec::new(), data: true };
                            others(&Reply::Replayed(replayed), seq, None, out)
                        }),
                        _ => Err(Error::bug("a batch repeats a result that it does not have")),
                    },
                    Ok(reply) => write(reply, seq, Some(status_of(reply)), others, out),
                    Err(error) => {
                        out.extend_from_slice(&problem(error));
                        Ok(())
                    }
                };
                if failed.is_ok() {
                    failed = written;
                }
            });
            batch.number("seq", seq);
            batch.close();
            failed
        }
        Reply::Deleted { record, count } => {
            let LayerText { id, level, version } = LayerText::of(record);
            plain(&DeletedText { deleted: *count, id, level, version }, within, out)
        }
        Reply::Restored { record, all, warnings } => {
            let LayerText { id, level, version } = LayerText::of(record);
            let restored = all.iter().map(|record| LayerText::of(record)).collect();
            let notices = NoticeText::all(warnings);
            plain(&RestoredText { id, level, notices, restored, version }, within, out)
        }
        Reply::Diff(lines) => plain(&DiffText::of(lines), within, out),
        Reply::Preview(preview) => plain(&PreviewText::of(preview), within, out),
        Reply::Entry(entry) => plain(&EntryText::of(entry), within, out),
        Reply::Entries { items, next, .. } => {
            let next = next.map(Cursor::entry);
            let items: Vec<EntryText<'_>> = items.iter().map(EntryText::of).collect();
            plain(&PageText { items, next_cursor: next }, within, out)
        }
        Reply::History { items, next } => {
            let next_cursor = next.map(Cursor::history);
            let items: Vec<VersionText<'_>> = items.iter().map(VersionText::of).collect();
            plain(&PageText { items, next_cursor }, within, out)
        }
        _ => others(reply, seq, within, out),
    }
}

/// Appends the JSON of a reply that only the server gives.
fn write_servers(reply: &Reply, seq: u64, within: Option<u16>, out: &mut Vec<u8>) -> Result<()> {
    match reply {
        Reply::Member(member) => plain(&MemberText::of(member), within, out),
        Reply::Unread => plain(&Object::new(), within, out),
        Reply::Expelled | Reply::Unrevoked | Reply::Ended => match within {
            Some(_) => plain(&Object::new(), within, out),
            None => Ok(()),
        },
        Reply::Members(members) => {
            let items = members.iter().map(MemberText::of).collect();
            plain(&MembersText { items }, within, out)
        }
        Reply::Revocation(revocation) => plain(&RevocationText::of(revocation), within, out),
        Reply::Revocations(revocations) => {
            let items = revocations.iter().map(RevocationText::of).collect();
            plain(&RevocationsText { items }, within, out)
        }
        Reply::Template(reply) => {
            template::write(&reply.template, out);
            Ok(())
        }
        Reply::Templates(templates) => {
            template::write_list(templates, out);
            Ok(())
        }
        Reply::Promotion(reply) => {
            promotion::write(reply, out);
            Ok(())
        }
        Reply::Promotions { items, next } => {
            let mut page = ObjectText::open(out);
            array(page.member("items"), items, |out, item| promotion::write(item, out));
            page.option("next_cursor", next.map(Cursor::promotion).as_deref());
            page.close();
            Ok(())
        }
        _ => write_by(reply, seq, within, write_servers, out),
    }
}

/// Appends the JSON of a reply that only a store as a whole gives, also one without members.
fn write_alone(reply: &Reply, seq: u64, within: Option<u16>, out: &mut Vec<u8>) -> Result<()> {
    write_by(reply, seq, within, write_alone, out)
}

/// As [`write_alone`]; `others` is what wrote the answers that are repeated.
fn write_by(
    reply: &Reply,
    seq: u64,
    within: Option<u16>,
    others: Others,
    out: &mut Vec<u8>,
) -> Result<()> {
    match reply {
        Reply::Imported { created, replaced, warnings } => {
            let (created, notices, replaced) = (*created, NoticeText::all(warnings), *replaced);
            plain(&ImportedText { created, notices, replaced, seq }, within, out)
        }
        Reply::Audit { items, more } => {
            let next = items.last().filter(|_| *more).map(|last| Cursor::audit(last.seq));
            let items: Vec<AuditText<'_>> = items.iter().map(AuditText::of).collect();
            plain(&PageText { items, next_cursor: next }, within, out)
        }
        Reply::Versions { .. } => Err(Error::bug("an export is written line by line")),
        Reply::Replayed(replayed) => {
            let Answer { status, body, .. } = again(replayed, others)?;
            let mut first = match body.is_empty() {
                true => Object::new(),
                false => match super::read_json(&body)? {
                    Value::Object(object) => object,
                    _ => return Err(Error::bug("an answer is no object")),
                },
            };
            first.insert("replayed", true.into());
            first.insert("status", u64::from(status).into());
            json::write_to(&Value::Object(first), out);
            Ok(())
        }
        _ => Err(Error::bug("this reply stands elsewhere")),
    }
}

/// Appends an answer through a tree, for replies that need not be fast.
fn plain<T: Serialize>(answer: &T, within: Option<u16>, out: &mut Vec<u8>) -> Result<()> {
    let mut value = value::encode(answer)?;
    if let (Some(status), Some(object)) = (within, value.as_object_mut()) {
        object.insert("status", u64::from(status).into());
    }
    json::write_to(&value, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use alloc::{boxed::Box, rc::Rc, vec};

    use super::*;
    use crate::reply::{ContextText, ViewText};
    use nacre_layers::{address::Address, explain::explain, id::User, layer::Layer, rules::Rules};
    use nacre_store::{
        moment::Moment,
        plan::{ContextReply, Shown},
        record::Record,
        store::{links, resolve_records},
    };

    fn record(address: &str, parent: Option<&str>, data: &str, rules: &str) -> Rc<Record> {
        let object = |text: &str| match json::read(text.as_bytes(), 64).unwrap() {
            Value::Object(object) => object,
            other => panic!("{other:?}"),
        };
        let (level, id) = address.split_once('/').unwrap();
        Rc::new(Record {
            heading: Rc::new(Heading {
                address: Address::parse(level, id).unwrap(),
                parent: parent.map(|id| nacre_layers::id::ContextId::parse(id).unwrap()),
                version: 7,
                seq: 9,
                rules: Rc::new(Rules::from_object(&object(rules)).unwrap()),
                created_at: Moment(1_700_000_000_000),
                updated_at: Moment(1_700_000_001_234),
                updated_by: User::parse("ädä \"x\"").unwrap(),
                deleted: None,
            }),
            layer: Rc::new(Layer::from_value(&Value::Object(object(data))).unwrap()),
        })
    }

    fn chain() -> Vec<Rc<Record>> {
        vec![
            record("global/global", None, r#"{"a":1,"l":[1],"s":"\u0001"}"#, r#"{"/l":"append"}"#),
            record("project/p", Some("global"), r#"{"a":{"é":2},"l":[2]}"#, r#"{"/a":"lock"}"#),
            record("branch/b", Some("p"), r#"{"a":3}"#, "{}"),
        ]
    }

    fn context(data: bool) -> ContextReply {
        let record = chain().remove(1);
        let shown = match data {
            true => Shown::Whole(record),
            false => Shown::Heading(record.heading.clone()),
        };
        ContextReply { shown, revealed: None, created: false, warnings: Vec::new() }
    }

    fn view(explained: bool, shown: Option<&[u8]>) -> ViewReply {
        let chain = chain();
        ViewReply {
            address: chain.last().unwrap().address.clone(),
            seq: 9,
            view: resolve_records(&chain),
            explanation: explained.then(|| explain(&links(&chain))),
            chain,
            shown: shown.map(Into::into),
            reveals: false,
        }
    }

    fn text<T: Serialize>(answer: &T) -> Vec<u8> {
        json::write(&value::encode(answer).unwrap())
    }

    #[test]
    fn what_is_spliced_is_what_the_types_say() {
        for data in [true, false] {
            let reply = context(data);
            let record = chain().remove(1);
            let Value::Object(object) = record.layer.to_value().unwrap() else { panic!() };
            let said = ContextText {
                created_at: record.created_at.to_string(),
                data: data.then_some(&object),
                id: record.address.id.as_str(),
                level: record.address.level.as_str(),
                parent: Some("global"),
                rules: record.rules.to_object(),
                notices: Vec::new(),
                updated_at: record.updated_at.to_string(),
                updated_by: record.updated_by.as_str(),
                version: 7,
            };
            let spliced = Answer::of(&Reply::Context(Box::new(reply)), 9).unwrap();
            assert_eq!(spliced.body, text(&said));
        }
        let reply = view(false, None);
        let document = json::read(&reply.view.text, 64).unwrap();
        let said = ViewText {
            chain: reply.chain.iter().map(|record| LayerText::of(record)).collect(),
            data: &document,
            hash: reply.view.hash.to_string(),
            id: "b",
            ignored: None,
            level: "branch",
            origins: None,
            seq: 9,
        };
        let spliced = Answer::of(&Reply::View(Box::new(reply.clone())), 9).unwrap();
        assert_eq!(spliced.body, text(&said));
    }

    #[test]
    fn an_explained_view_is_canonical_and_names_the_lock() {
        let answer = Answer::of(&Reply::View(Box::new(view(true, None))), 9).unwrap();
        let value = json::read(&answer.body, 64).unwrap();
        assert_eq!(json::write(&value), answer.body);
        let at = |pointer: &str| {
            nacre_layers::pointer::Pointer::parse(pointer).unwrap().get(&value).cloned()
        };
        assert_eq!(at("/origins/~1a~1é/id"), Some("p".into()));
        assert_eq!(at("/ignored/0/id"), Some("b".into()));
        assert_eq!(at("/ignored/0/locked_by/id"), Some("p".into()));
    }

    #[test]
    fn each_way_to_show_a_view_has_its_own_validator() {
        let etag = |view| etag(&Reply::View(Box::new(view))).unwrap();
        let plain = etag(view(false, None));
        assert_eq!(plain.len(), 45);
        let mut all = vec![
            plain,
            etag(view(true, None)),
            etag(view(false, Some(b"1"))),
            etag(view(true, Some(b"1"))),
        ];
        assert!(all.iter().all(|tag| tag.starts_with('"') && tag.ends_with('"')));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 4);
    }

    #[test]
    fn a_stored_answer_comes_back_as_it_was() {
        for (etag, location, body) in [
            (Some("\"v1\""), Some("/v1/contexts/task/t"), &b"{}"[..]),
            (None, None, b""),
            (None, Some("/x"), b"{\"a\":1}"),
        ] {
            let answer = Answer {
                status: 201,
                seq: u64::MAX,
                etag: etag.map(Into::into),
                location: location.map(Into::into),
                body: body.into(),
                replayed: true,
            };
            let bytes = answer.to_bytes();
            assert_eq!(Answer::from_bytes(&bytes).unwrap(), answer);
            for length in 0..bytes.len() - body.len() {
                let error = Answer::from_bytes(&bytes[..length]).unwrap_err();
                assert_eq!(error.code(), Code::StoreUnavailable, "{length}");
            }
        }
        assert!(Answer::from_bytes(&[2; 64]).is_err());
    }

    #[test]
    fn results_of_a_batch_carry_their_status() {
        let gone = Error::not_found();
        let stored = Answer::of(&Reply::Context(Box::new(context(false))), 4).unwrap().to_bytes();
        let replies = vec![
            Ok(Reply::Context(Box::new(context(false)))),
            Ok(Reply::View(Box::new(view(false, Some(b"1"))))),
            Ok(Reply::Deleted { record: chain().remove(2), count: 1 }),
            Ok(Reply::Expelled),
            Ok(Reply::Replayed(Replayed { answer: stored, reads: Vec::new(), data: true })),
            Err(gone),
        ];
        let answer = Answer::of(&Reply::Batch(replies), 5).unwrap();
        let value = json::read(&answer.body, 64).unwrap();
        assert_eq!(json::write(&value), answer.body, "canonical");
        let statuses: Vec<Value> = (0..6)
            .map(|n| {
                let place = format!("/results/{n}/status");
                nacre_layers::pointer::Pointer::parse(place).unwrap().get(&value).cloned().unwrap()
            })
            .collect();
        let expected = [200u64, 200, 200, 204, 200, 404].map(Value::from);
        assert_eq!(statuses, expected);
    }
}
