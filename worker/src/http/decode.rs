//! Turns the head of a request into an operation: one arm per action of the table.

use nacre_core::{
    address::Address,
    error::{Code, Error, Result},
    id::{ContextId, User},
    moment::Moment,
    op::{Administration, Caller, Command, Edit, Expect, Inspection, Patch, Request},
    pack::Ask,
    patch::JsonPatch,
    promotion::Verdict,
    retrieval,
    revocation::{Subject, TokenId},
    store::AsOf,
    value::{Object, Value},
    wire::{
        operation::{BatchBody, PreviewBody},
        promotion::{self, PromotionBody},
        question::{self, Parameters, Question, in_query},
        request::{
            self, AppendBody, InsightBody, MemberBody, MoveBody, ProgressBody, PutBody,
            RestoreBody, RevokeTokenBody, RevokeUserBody, RollbackBody, UnsetBody, UnshareBody,
        },
        template::{self, BeginningBody},
    },
};
use serde::de::DeserializeOwned;

use super::{
    Head,
    conditions::expect,
    export::Exporter,
    import::Importer,
    key::Key,
    live,
    media::Reader,
    query::{Query, decode_segment},
    routed::{Decoded, Task},
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

    fn name(&self) -> Result<ContextId> {
        ContextId::parse(&decode_segment(self.first)?)
    }

    /// The user or the token of a revocation.
    fn subject(&self, action: Action) -> Result<Subject> {
        match action {
            Action::RevokeUser | Action::UnrevokeUser => self.user().map(Subject::User),
            _ => TokenId::parse(&decode_segment(self.first)?).map(Subject::Token),
        }
    }
}

/// The parameters of a question: the segments of the path, and the query.
struct Asked<'a> {
    segments: &'a Segments<'a>,
    query: &'a Query<'a>,
}

impl Parameters for Asked<'_> {
    fn address(&mut self) -> Result<Address> {
        self.segments.address()
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>> {
        Ok(self.query.text(name).map(Into::into))
    }

    fn number(&mut self, name: &'static str, most: u64) -> Result<Option<u64>> {
        self.query.number(name, most)
    }

    fn flag(&mut self, name: &'static str) -> Result<bool> {
        self.query.flag(name)
    }

    fn state(&mut self, name: &'static str) -> Result<Option<AsOf>> {
        self.query.as_of(name)
    }

    fn context(&mut self, name: &'static str) -> Result<Option<Address>> {
        self.query.address(name)
    }

    fn place(&self, name: &'static str, error: Error) -> Error {
        in_query(name, error)
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
pub(super) fn decode(request: &Understood<'_>) -> Result<Decoded> {
    let Understood { head, route, segments, query, caller, .. } = request;
    let command = |command: Command| {
        task(Task::Command(Request {
            caller: Caller::clone(caller),
            command,
            idempotency: request.key.cloned().map(|key| key.of_body(&[])),
            id: Some(request.request_id.into()),
        }))
    };
    let asked = &mut Asked { segments, query };
    let address = || segments.address();
    let expect = || match route.is_write() {
        true => expect(head, route),
        false => Ok(Expect::Anything),
    };
    // Actions without conditions must refuse one, so this runs for all of them.
    let expected = expect()?;
    Ok(match route.action {
        Action::Health | Action::Describe | Action::SecurityTxt => {
            return Err(Error::bug("this route must be answered without a store"));
        }
        Action::List => command(Question::List.read(asked)?.into()),
        Action::Get => command(Question::Get.read(asked)?.into()),
        Action::Resolve => command(Question::Resolve.read(asked)?.into()),
        Action::ViewDiff => command(Question::ViewDiff.read(asked)?.into()),
        Action::Insights => command(Question::Insights.read(asked)?.into()),
        Action::Progress => command(Question::Progress.read(asked)?.into()),
        Action::History => command(Question::History.read(asked)?.into()),
        Action::Diff => command(Question::Diff.read(asked)?.into()),
        Action::Put => {
            let (address, create_parents) = (address()?, query.flag("create_parents")?);
            body(move |body: PutBody| body.into_edit(address, create_parents, expected))
        }
        Action::Patch => {
            let (address, summary, reader) = (address()?, query.summary(), request.reader);
            Decoded::Body(Box::new(move |value| {
                let patch = patch_of(reader, there(value)?)?;
                Ok(Edit::Update { address, patch, summary, expect: expected }.into())
            }))
        }
        Action::Delete => {
            let (address, cascade) = (address()?, query.flag("cascade")?);
            let summary = query.summary();
            command(Edit::Delete { address, cascade, summary, expect: expected }.into())
        }
        Action::Unset => {
            let address = address()?;
            body(move |body: UnsetBody| body.into_edit(address, expected))
        }
        Action::Append => {
            let address = address()?;
            body(move |body: AppendBody| body.into_edit(address, expected))
        }
        Action::AddInsight => {
            let address = address()?;
            body(move |body: InsightBody| Ok(body.into_edit(address)))
        }
        Action::AddProgress => {
            let address = address()?;
            body(move |body: ProgressBody| Ok(body.into_edit(address)))
        }
        Action::Restore => {
            let address = address()?;
            optional_body(move |body: Option<RestoreBody>| {
                Ok(body.unwrap_or(RestoreBody { summary: None }).into_edit(address))
            })
        }
        Action::Move => {
            let address = address()?;
            body(move |body: MoveBody| body.into_edit(address, expected))
        }
        Action::Rollback => {
            let address = address()?;
            body(move |body: RollbackBody| Ok(body.into_edit(address, expected)))
        }
        Action::Preview => {
            let address = address()?;
            body(move |body: PreviewBody| body.into_read(address))
        }
        Action::Batch => body(|body: BatchBody| body.into_batch()),
        Action::Audit => command(question::audit(asked)?.into()),
        Action::Members => command(Inspection::Members.into()),
        Action::PutMember => {
            let user = segments.user()?;
            body(move |body: MemberBody| {
                let (project, terms) = body.into_parts()?;
                Ok(Administration::PutMember { user, project, terms })
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
                Ok(Administration::DeleteMember { user, project })
            })
        }
        Action::Revocations => command(Inspection::Revocations.into()),
        Action::RevokeUser => {
            revoke(segments.subject(route.action)?, |body: RevokeUserBody| body.into_time())
        }
        Action::RevokeToken => {
            revoke(segments.subject(route.action)?, |body: RevokeTokenBody| body.into_time())
        }
        Action::UnrevokeUser | Action::UnrevokeToken => {
            command(Administration::Unrevoke(segments.subject(route.action)?).into())
        }
        Action::Templates => command(Inspection::Templates.into()),
        Action::Template => command(Inspection::Template(segments.name()?).into()),
        Action::PutTemplate => {
            let name = segments.name()?;
            body(move |members: Object| template::put(name, members))
        }
        Action::DeleteTemplate => command(Administration::DeleteTemplate(segments.name()?).into()),
        Action::Begin => {
            let name = segments.name()?;
            body(move |body: Value| BeginningBody::read(body)?.into_administration(name))
        }
        Action::Promotions => command(question::promotions(asked)?.into()),
        Action::Propose => body(|body: Value| PromotionBody::read(body)?.into_administration()),
        Action::Approve | Action::Decline | Action::Undo => {
            let verdict = match route.action {
                Action::Approve => Verdict::Approve,
                Action::Decline => Verdict::Decline,
                _ => Verdict::Undo,
            };
            command(promotion::settle(&decode_segment(segments.first)?, verdict)?.into())
        }
        Action::Export => task(Task::Export(Exporter::new(
            Caller::clone(caller),
            request.request_id.into(),
            query.flag("reveal")?,
            query.flag("all")?,
        ))),
        Action::Import => task(Task::Import(Importer::new(
            Caller::clone(caller),
            request.request_id.into(),
            query.mode()?,
            request.key.cloned(),
        ))),
        Action::Live => {
            if !live::is_upgrade(head) {
                return Err(Error::new(
                    Code::InvalidRequest,
                    "this path is for WebSockets: send a GET with `Upgrade: websocket`",
                ));
            }
            task(Task::Live)
        }
        Action::Usage => task(Task::Usage { caller: Caller::clone(caller) }),
        Action::Keys | Action::RotateKeys => {
            owner_only(caller)?;
            let rotate = route.action == Action::RotateKeys;
            task(Task::Keys { caller: Caller::clone(caller), rotate })
        }
        Action::Pack => {
            let ask = Ask::read(asked)?;
            task(Task::Pack { caller: Caller::clone(caller), ask })
        }
        Action::Search => {
            let question = retrieval::Question::read(asked)?;
            task(Task::Search { caller: Caller::clone(caller), question })
        }
        Action::SearchByBody => Decoded::Question,
        Action::PutVector => {
            owner_only(caller)?;
            Decoded::Vector(address()?)
        }
        Action::IndexProgress | Action::Reindex => {
            owner_only(caller)?;
            task(Task::Reindex { begin: route.action == Action::Reindex })
        }
        Action::Erase => {
            owner_only(caller)?;
            if head.headers.get(CONFIRM).as_deref() != Some("erase") {
                return Err(Error::new(
                    Code::InvalidRequest,
                    "the header `Nacre-Confirm: erase` is required: this request deletes the whole \
                     store",
                ));
            }
            task(Task::Erase)
        }
    })
}

/// Revokes with the time of an optional body.
fn revoke<T: DeserializeOwned + 'static>(
    subject: Subject,
    time: fn(T) -> Result<Option<Moment>>,
) -> Decoded {
    optional_body(move |body: Option<T>| {
        let time = body.map(time).transpose()?.flatten();
        Ok(Administration::Revoke { subject, time })
    })
}

/// Only the owner may rotate keys, index anew or erase the store; others get `not-found`.
fn owner_only(caller: &Caller) -> Result<()> {
    if caller.user == caller.owner { Ok(()) } else { Err(Error::not_found()) }
}

/// The header that an erase requires.
const CONFIRM: &str = "nacre-confirm";

fn task(task: Task) -> Decoded {
    Decoded::Task(Box::new(task))
}

fn body<T: DeserializeOwned, C: Into<Command>>(
    finish: impl FnOnce(T) -> Result<C> + 'static,
) -> Decoded {
    let finish = |value| finish(request::decode(there(value)?)?).map(Into::into);
    Decoded::Body(Box::new(finish))
}

fn optional_body<T: DeserializeOwned, C: Into<Command>>(
    finish: impl FnOnce(Option<T>) -> Result<C> + 'static,
) -> Decoded {
    let finish = |value: Option<Value>| finish(value.map(request::decode).transpose()?);
    Decoded::Body(Box::new(|value| finish(value).map(Into::into)))
}

fn there(value: Option<Value>) -> Result<Value> {
    value.ok_or_else(|| Error::bug("a required body was treated as optional"))
}

/// Reads a patch of the kind that the media type names.
fn patch_of(reader: Reader, patch: Value) -> Result<Patch> {
    match (reader, patch) {
        (Reader::JsonPatch, patch) => Ok(Patch::Json(JsonPatch::parse(patch)?)),
        (Reader::MergePatch, patch @ Value::Object(_)) => Ok(Patch::Merge(patch)),
        (Reader::MergePatch, _) => {
            Err(Error::new(Code::InvalidRequest, "a merge patch must be an object").at(""))
        }
        (_, patch) => request::patch(patch),
    }
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
