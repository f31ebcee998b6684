//! Turns the head of a request into an operation: one arm per action of the table.

use nacre_core::{
    address::Address,
    error::{Code, Error, Result},
    id::User,
    op::{Caller, Edit, Expect, Op, Resolve, Which},
    patch::JsonPatch,
    record::EntryKind,
    store::Filter,
    value::Value,
    wire::{
        Cursor,
        operation::{BatchBody, PreviewBody},
        request::{
            self, AppendBody, InsightBody, MemberBody, MoveBody, ProgressBody, PutBody,
            RestoreBody, RollbackBody, UnsetBody, UnshareBody,
        },
    },
};
use serde::de::DeserializeOwned;

use super::{
    Head,
    ask::Pending,
    conditions::expect,
    export::Exporter,
    import::Importer,
    key::Key,
    live,
    media::Reader,
    query::{Query, decode_segment},
    routes::{Action, Route},
};

/// The values of the variable segments of a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Segments<'p> {
    first: &'p str,
    second: &'p str,
}

impl<'p> Segments<'p> {
    /// Compares a path with a template; `None` if it does not match.
    pub(super) fn of(template: &str, path: &'p str) -> Option<Segments<'p>> {
        // Every request is compared with every template; the first bytes usually decide.
        let until = |text: &str, end| text.bytes().take_while(|byte| *byte != end).count();
        let mut found = Segments::default();
        let (mut template, mut rest) = (template, path);
        loop {
            let (literal, variable) = template.split_at_checked(until(template, b'{'))?;
            rest = rest.strip_prefix(literal)?;
            if variable.is_empty() {
                return rest.is_empty().then_some(found);
            }
            let (given, after) = rest.split_at_checked(until(rest, b'/'))?;
            let place = if found.first.is_empty() { &mut found.first } else { &mut found.second };
            *place = given;
            if given.is_empty() {
                return None;
            }
            rest = after;
            template = variable.get(until(variable, b'}') + 1..)?;
        }
    }

    fn address(&self) -> Result<Address> {
        Address::parse(&decode_segment(self.first)?, &decode_segment(self.second)?)
    }

    fn user(&self) -> Result<User> {
        User::parse(&decode_segment(self.first)?)
    }
}

/// The decoded head of a request.
pub(super) struct Understood<'a> {
    pub(super) head: &'a Head<'a>,
    pub(super) route: &'static Route,
    pub(super) segments: Segments<'a>,
    pub(super) query: &'a Query<'a>,
    pub(super) reader: Reader,
    pub(super) caller: &'a Caller,
    pub(super) request_id: &'a str,
    pub(super) key: Option<&'a Key>,
}

/// Decodes the head.
pub(super) fn decode(request: &Understood<'_>) -> Result<Pending> {
    let Understood { head, route, segments, query, .. } = request;
    let address = || segments.address();
    let expect = || match route.is_write() {
        true => expect(head, route),
        false => Ok(Expect::Anything),
    };
    // Actions without conditions must refuse one, so this runs for all of them.
    let expected = expect()?;
    Ok(match route.action {
        Action::Health | Action::Describe => {
            return Err(Error::bug("this route must be answered without a store"));
        }
        Action::List => Pending::Op(Op::List {
            filter: Filter {
                level: query.level("level")?,
                parent: query.id("parent")?,
                under: query.address("under")?,
                prefix: query.text("prefix").map(Into::into),
            },
            after: query.read("cursor", Cursor::read_list)?,
            limit: query.limit()?,
            data: query.flag("data")?,
            reveal: query.flag("reveal")?,
        }),
        Action::Get => Pending::Op(Op::Get {
            address: address()?,
            which: match (query.version("version")?, query.as_of("at")?) {
                (None, None) => Which::Current,
                (Some(version), None) => Which::Version(version),
                (None, Some(at)) => Which::AsOf(at),
                (Some(_), Some(_)) => {
                    return Err(Error::new(
                        Code::InvalidRequest,
                        "use either `version` or `at`, not both",
                    ));
                }
            },
            reveal: query.flag("reveal")?,
        }),
        Action::Put => {
            let (address, create_parents) = (address()?, query.flag("create_parents")?);
            body(move |body: PutBody| body.into_op(address, create_parents, expected))
        }
        Action::Patch => {
            let (address, summary, reader) = (address()?, query.summary(), request.reader);
            let finish = move |patch| {
                Ok(Op::Update { address, patch: edit(reader, patch)?, summary, expect: expected })
            };
            Pending::Body(Box::new(move |value| finish(there(value)?)))
        }
        Action::Delete => Pending::Op(Op::Delete {
            address: address()?,
            cascade: query.flag("cascade")?,
            summary: query.summary(),
            expect: expected,
        }),
        Action::Unset => {
            let address = address()?;
            body(move |body: UnsetBody| body.into_op(address, expected))
        }
        Action::Append => {
            let address = address()?;
            body(move |body: AppendBody| body.into_op(address, expected))
        }
        Action::AddInsight => {
            let address = address()?;
            body(move |body: InsightBody| Ok(body.into_op(address)))
        }
        Action::AddProgress => {
            let address = address()?;
            body(move |body: ProgressBody| Ok(body.into_op(address)))
        }
        Action::Insights => entries(address()?, EntryKind::Insight, query)?,
        Action::Progress => entries(address()?, EntryKind::Progress, query)?,
        Action::Restore => {
            let address = address()?;
            optional_body(move |body: Option<RestoreBody>| {
                Ok(Op::Restore { address, summary: body.and_then(|body| body.summary) })
            })
        }
        Action::Move => {
            let address = address()?;
            body(move |body: MoveBody| body.into_op(address, expected))
        }
        Action::Rollback => {
            let address = address()?;
            body(move |body: RollbackBody| {
                let RollbackBody { version, summary } = body;
                Ok(Op::Rollback { address, version, summary, expect: expected })
            })
        }
        Action::History => Pending::Op(Op::History {
            address: address()?,
            before: query.read("cursor", Cursor::read_history)?,
            limit: query.limit()?,
        }),
        Action::Diff => Pending::Op(Op::Diff {
            address: address()?,
            from: query.version("from")?.ok_or_else(missing_parameter)?,
            to: query.version("to")?,
        }),
        Action::Resolve => Pending::Op(Op::Resolve(Resolve {
            address: address()?,
            path: query.pointer("path")?,
            as_of: query.as_of("at")?,
            explain: query.flag("explain")?,
            reveal: query.flag("reveal")?,
        })),
        Action::ViewDiff => Pending::Op(Op::ViewDiff {
            address: address()?,
            from: query.as_of("from")?.ok_or_else(missing_parameter)?,
            to: query.as_of("to")?,
        }),
        Action::Preview => {
            let address = address()?;
            body(move |body: PreviewBody| body.into_op(address))
        }
        Action::Batch => body(BatchBody::into_op),
        Action::Audit => Pending::Op(Op::Audit {
            before: query.read("cursor", Cursor::read_audit)?,
            limit: query.limit()?,
        }),
        Action::Members => Pending::Op(Op::Members),
        Action::PutMember => {
            let user = segments.user()?;
            body(move |body: MemberBody| {
                let (project, role) = body.into_parts()?;
                Ok(Op::PutMember { user, project, role })
            })
        }
        Action::DeleteMember => {
            let (user, named) = (segments.user()?, query.id("project")?);
            optional_body(move |body: Option<UnshareBody>| {
                let in_body = body.map(UnshareBody::into_project).transpose()?;
                let project = match (named, in_body) {
                    (Some(named), Some(in_body)) if named != in_body => {
                        return Err(Error::new(
                            Code::InvalidRequest,
                            "`project` must be the same in the query and in the body",
                        )
                        .at("/project"));
                    }
                    (Some(project), _) | (None, Some(project)) => project,
                    (None, None) => {
                        return Err(Error::new(
                            Code::InvalidRequest,
                            "`project` is required, in the query or in the body",
                        ));
                    }
                };
                Ok(Op::DeleteMember { user, project })
            })
        }
        Action::Export => Pending::Export(Exporter::new(
            request.caller.clone(),
            request.request_id.into(),
            query.flag("reveal")?,
        )),
        Action::Import => Pending::Import(Importer::new(
            request.caller.clone(),
            request.request_id.into(),
            query.mode()?,
            request.key.cloned(),
        )),
        Action::Live => {
            if !live::is_upgrade(head) {
                return Err(Error::new(
                    Code::InvalidRequest,
                    "this path is for WebSockets: send a GET with `Upgrade: websocket`",
                ));
            }
            Pending::Live
        }
        Action::Keys | Action::RotateKeys => {
            owner_only(request.caller)?;
            Pending::Keys(route.action == Action::RotateKeys)
        }
        Action::Erase => {
            owner_only(request.caller)?;
            if head.headers.get(CONFIRM).as_deref() != Some("erase") {
                return Err(Error::new(
                    Code::InvalidRequest,
                    "the header `Nacre-Confirm: erase` is required: this request deletes the whole \
                     store",
                ));
            }
            Pending::Erase
        }
    })
}

/// Only the owner may rotate keys or erase the store; others get `not-found`.
fn owner_only(caller: &Caller) -> Result<()> {
    if caller.user == caller.owner { Ok(()) } else { Err(Error::not_found()) }
}

/// The header that an erase requires.
const CONFIRM: &str = "nacre-confirm";

fn body<T: DeserializeOwned>(finish: impl FnOnce(T) -> Result<Op> + 'static) -> Pending {
    Pending::Body(Box::new(move |value| finish(request::decode(there(value)?)?)))
}

fn optional_body<T: DeserializeOwned>(
    finish: impl FnOnce(Option<T>) -> Result<Op> + 'static,
) -> Pending {
    Pending::Body(Box::new(move |value| finish(value.map(request::decode).transpose()?)))
}

fn there(value: Option<Value>) -> Result<Value> {
    value.ok_or_else(|| Error::bug("a required body was treated as optional"))
}

/// Reads a patch of the kind that the media type names.
fn edit(reader: Reader, patch: Value) -> Result<Edit> {
    match (reader, patch) {
        (Reader::JsonPatch, patch) => Ok(Edit::Json(JsonPatch::parse(patch)?)),
        (Reader::MergePatch, patch @ Value::Object(_)) => Ok(Edit::Merge(patch)),
        (Reader::MergePatch, _) => {
            Err(Error::new(Code::InvalidRequest, "a merge patch must be an object").at(""))
        }
        (_, patch) => request::edit(patch),
    }
}

fn entries(address: Address, kind: EntryKind, query: &Query<'_>) -> Result<Pending> {
    Ok(Pending::Op(Op::Entries {
        address,
        kind,
        before: query.read("cursor", Cursor::read_entry)?,
        limit: query.limit()?,
    }))
}

fn missing_parameter() -> Error {
    Error::bug("a required query parameter was not checked")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_segment_by_segment() {
        let template = "/v1/contexts/{level}/{id}/history";
        let found = Segments::of(template, "/v1/contexts/task/a%2Fb/history").unwrap();
        assert_eq!((found.first, found.second), ("task", "a%2Fb"));
        for other in [
            "/v1/contexts/task/a/history/",
            "/v1/contexts/task/a",
            "/v1/contexts//a/history",
            "/v1/contexts/task//history",
            "/V1/contexts/task/a/history",
            "v1/contexts/task/a/history",
            "",
        ] {
            assert_eq!(Segments::of(template, other), None, "{other}");
        }
        assert!(Segments::of("/v1/batch", "/v1/batch").is_some());
    }
}
