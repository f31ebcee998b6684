//! A question: what is searched for, where, and how much of the answer.

use alloc::{format, string::String, vec::Vec};

use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
    hash::Hash,
    id::User,
    level::Level,
    number::Number,
    pointer::Pointer,
    value::Value,
};
use nacre_search::{bytes::put_bytes, query::Query, semantic::vector::Vector};
use nacre_store::{decide::refuse_the_future, moment::Moment, store::AsOf};
use nacre_wire::{
    Cursor,
    members::Members,
    question::{Parameters, in_query, not_from_one_to, parsed},
    request,
};

use crate::{embedding, place::Place, ranking::Rankers};

/// Most items of a page.
const PAGE: u64 = 100;

/// The items of a page if the caller does not say.
const PAGE_DEFAULT: u64 = 10;

/// What a search goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Words.
    Text,
    /// Meaning.
    Semantic,
    /// Both.
    #[default]
    Hybrid,
}

impl Mode {
    const NAMES: [(&'static str, Mode); 3] =
        [("text", Mode::Text), ("semantic", Mode::Semantic), ("hybrid", Mode::Hybrid)];

    fn parse(text: &str) -> Result<Mode> {
        named(text, &Mode::NAMES, "must be `text`, `semantic` or `hybrid`")
    }
}

/// What is searched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Stored layers: finds where a thing is said.
    #[default]
    Stored,
    /// Resolved views: finds the lowest contexts whose view shows it.
    Resolved,
}

impl Scope {
    const NAMES: [(&'static str, Scope); 2] =
        [("stored", Scope::Stored), ("resolved", Scope::Resolved)];

    fn parse(text: &str) -> Result<Scope> {
        named(text, &Scope::NAMES, "must be `stored` or `resolved`")
    }
}

fn named<T: Copy>(text: &str, names: &[(&str, T)], wrong: &'static str) -> Result<T> {
    let named = names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    named.ok_or_else(|| Error::new(Code::InvalidRequest, wrong))
}

/// A question as a body has it.
#[cfg(feature = "schema")]
#[derive(Debug, schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SearchBody {
    /// What is searched for: words, "phrases", -exclusions, `level:`, `path:`, and a last prefix*. Of a
    /// longer text than 4 KiB, the beginning counts.
    pub q: Option<String>,
    /// What ranks: `hybrid` by default.
    #[schemars(default, schema_with = "schemas::mode")]
    pub mode: Option<String>,
    /// Stored layers, by default, or resolved views.
    #[schemars(default, schema_with = "schemas::scope")]
    pub scope: Option<String>,
    /// The levels to search in; all if left out.
    #[schemars(default, schema_with = "schemas::levels")]
    pub levels: Option<Vec<String>>,
    /// Only this context and those below it.
    #[schemars(default, schema_with = "schemas::context")]
    pub under: Option<Value>,
    /// Only what changed after this commit, or not before this time.
    #[schemars(default, schema_with = "nacre_wire::schema::as_of")]
    pub since: Option<Value>,
    /// Only contexts whose last change this user made.
    pub by: Option<String>,
    /// Only contexts that have this path. Indexes of arrays are left out.
    #[schemars(default, schema_with = "nacre_wire::schema::pointer_or_null")]
    pub path: Option<String>,
    /// The most items of the page; 10 by default.
    #[schemars(range(min = 1, max = 100))]
    pub limit: Option<u64>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Whether to say why each item was found: true by default.
    pub explain: Option<bool>,
    /// The question's vector, by the model that made those of the contexts.
    #[schemars(default, schema_with = "embedding::schema")]
    pub vector: Option<Value>,
}

/// The schemas of members.
#[cfg(feature = "schema")]
mod schemas {
    use nacre_wire::schema::{id, level};
    use schemars::{Schema, SchemaGenerator, json_schema};

    use super::{Mode, Scope};

    fn one_of<T>(names: &[(&str, T)]) -> Schema {
        let names = names.iter().map(|(name, _)| Some(*name));
        let names: alloc::vec::Vec<Option<&str>> = names.chain([None]).collect();
        json_schema!({ "type": ["string", "null"], "enum": names })
    }

    pub(super) fn mode(_: &mut SchemaGenerator) -> Schema {
        one_of(&Mode::NAMES)
    }

    pub(super) fn scope(_: &mut SchemaGenerator) -> Schema {
        one_of(&Scope::NAMES)
    }

    pub(super) fn levels(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["array", "null"], "items": level(generator), "minItems": 1 })
    }

    pub(super) fn context(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["object", "null"],
            "properties": { "level": level(generator), "id": id(generator) },
            "required": ["level", "id"],
            "additionalProperties": false
        })
    }
}

/// One question.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What is searched for, as it was typed.
    pub text: String,
    /// The text taken apart, with the levels and the path of the question.
    pub query: Query,
    /// What the search goes by.
    pub mode: Mode,
    /// What is searched.
    pub scope: Scope,
    /// The levels to search in, beside those of the text; all if empty.
    pub levels: Vec<Level>,
    /// Only this context and those below it.
    pub under: Option<Address>,
    /// Only contexts that changed after this commit, or not before this time.
    pub since: Option<AsOf>,
    /// Only contexts whose last change this user made.
    pub by: Option<User>,
    /// The most items of the answer.
    pub limit: usize,
    /// Whether to say why each item was found.
    pub explain: bool,
    /// The question's vector, by a model elsewhere: for documents that were
    /// [given](crate::Corpus::give_vector) theirs.
    pub vector: Option<Vector>,
    /// The item after which the answer goes on.
    pub(crate) after: Option<Place>,
    /// What tells this question from others.
    pub(crate) id: u64,
    /// Whether its members came in a body.
    is_body: bool,
}

impl Question {
    /// Reads a question from named parameters.
    ///
    /// # Errors
    /// `invalid-request`, `invalid-id`, `invalid-pointer`.
    pub fn read(from: &mut dyn Parameters) -> Result<Question> {
        Question::with_vector(from, None, false)
    }

    /// Reads a question from a JSON body, which has the same members, and `vector`. `levels` is an
    /// array, and `under` an object with `level` and `id`.
    ///
    /// # Errors
    /// As [`Question::read`]; for unknown members, too.
    pub fn of_body(body: Value) -> Result<Question> {
        let mut body = Body(Members::of(body)?);
        let vector = body.take("vector")?.as_ref().map(embedding::read).transpose();
        let vector = vector.map_err(|error| body.place("vector", error))?;
        let question = Question::with_vector(&mut body, vector, true)?;
        body.0.end()?;
        Ok(question)
    }

    fn with_vector(
        from: &mut dyn Parameters,
        vector: Option<Vector>,
        is_body: bool,
    ) -> Result<Question> {
        let text = from.text("q")?.unwrap_or_default();
        let mode = parsed(from, "mode", Mode::parse)?.unwrap_or_default();
        let scope = parsed(from, "scope", Scope::parse)?.unwrap_or_default();
        let levels = parsed(from, "levels", levels)?.unwrap_or_default();
        let under = from.context("under")?;
        let since = from.state("since")?;
        let by = parsed(from, "by", User::parse)?;
        let path = parsed(from, "path", |path| Pointer::parse(path))?;
        let limit = from.number("limit", PAGE)?.unwrap_or(PAGE_DEFAULT) as usize;
        let explain = parsed(from, "explain", flag)?.unwrap_or(true);
        let mut query = Query::parse(&text);
        if let Some(path) = &path {
            query.require_path(path);
        }
        let mut question = Question {
            text,
            query,
            mode,
            scope,
            levels,
            under,
            since,
            by,
            limit,
            explain,
            vector,
            after: None,
            id: 0,
            is_body,
        };
        let id = question.id(path.as_ref());
        let place = |text: &str| Cursor::read_search(text, |place| Place::read(place, id));
        question.after = parsed(from, "cursor", place)?;
        question.id = id;
        match question.first_rankers() {
            Some(first) if !first.fit(&question) => {
                Err(from.place("cursor", Cursor::of_another_list()))
            }
            _ => Ok(question),
        }
    }

    /// What tells this question from others: a hash of all that its answer depends on, beside the page.
    fn id(&self, path: Option<&Pointer>) -> u64 {
        let mut asked = Vec::from([self.mode as u8, self.scope as u8, self.levels.len() as u8]);
        asked.extend(self.levels.iter().map(|level| *level as u8));
        let since = self.since.map(|since| match since {
            AsOf::Seq(seq) => format!("{seq}"),
            AsOf::Time(time) => format!("{time}"),
        });
        let under = self.under.as_ref().map(|under| format!("{under}"));
        let by = self.by.as_ref().map(User::as_str);
        for part in [under.as_deref(), since.as_deref(), by, path.map(Pointer::as_str)] {
            asked.push(u8::from(part.is_some()));
            put_bytes(&mut asked, part.unwrap_or_default().as_bytes());
        }
        let vector = self.vector.as_ref().map(Vector::to_bytes);
        put_bytes(&mut asked, vector.as_deref().unwrap_or_default());
        asked.extend_from_slice(self.text.as_bytes());
        let [a, b, c, d, e, f, g, h, ..] = *Hash::of(&asked).as_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// The most items of the page.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The same question with another number of items.
    #[must_use]
    pub fn with_limit(self, limit: usize) -> Question {
        Question { limit, ..self }
    }

    /// Refuses what is not in the past of a store, whose newest commit is `newest`. Without a clock
    /// `now` is 0, and every time counts as past.
    ///
    /// # Errors
    /// `invalid-request`.
    pub fn refuse_the_future(&self, newest: u64, now: Moment) -> Result<()> {
        let is_past = self.since.map_or(Ok(()), |since| refuse_the_future(newest, now, since));
        is_past.map_err(|error| self.blame("since", error))
    }

    /// What to answer if it is not known any more what the pages before were ranked by.
    pub(crate) fn refuse_cursor(&self) -> Error {
        let detail = "this cursor is too old: what ranked the pages before it is not known any \
                      more; start again without a cursor";
        self.blame("cursor", Error::new(Code::InvalidRequest, detail))
    }

    /// Adds the place of a member to an error.
    fn blame(&self, name: &'static str, error: Error) -> Error {
        if self.is_body { in_body(name, error) } else { in_query(name, error) }
    }

    /// What ranked the first page, if this asks for a further one.
    pub(crate) fn first_rankers(&self) -> Option<Rankers> {
        self.after.as_ref().map(|after| after.rankers)
    }

    /// Whether words count nothing beside meaning. Without words there is nothing but the question's
    /// vector.
    pub(crate) fn goes_by_meaning_alone(&self) -> bool {
        self.mode == Mode::Semantic || (self.query.words.is_empty() && self.query.prefix.is_none())
    }

    /// Whether nothing but filters says what is searched for.
    pub(crate) fn has_only_filters(&self) -> bool {
        self.query.words.is_empty() && self.query.prefix.is_none() && self.vector.is_none()
    }

    /// Whether some documents are left out whatever they say.
    pub(crate) fn has_filters(&self) -> bool {
        !self.query.levels.is_empty()
            || !self.query.paths.is_empty()
            || !self.levels.is_empty()
            || self.under.is_some()
            || self.since.is_some()
            || self.by.is_some()
    }

    /// The text whose meaning is searched for: without filters and exclusions.
    pub(crate) fn meant(&self) -> String {
        let query = &self.query;
        if query.excluded.is_empty() && query.levels.is_empty() && query.paths.is_empty() {
            return self.text.clone();
        }
        let words: Vec<&str> = query.words.iter().map(|word| word.surface.as_str()).collect();
        words.join(" ")
    }
}

fn levels(text: &str) -> Result<Vec<Level>> {
    text.split(',').map(|level| Level::parse(level.trim())).collect()
}

fn flag(text: &str) -> Result<bool> {
    named(text, &[("true", true), ("false", false)], "must be `true` or `false`")
}

/// The members of a body, taken out one by one.
struct Body(Members);

impl Body {
    /// A member of any type; `None` if it is not there, or null.
    fn take(&mut self, name: &'static str) -> Result<Option<Value>> {
        self.0.take(name)
    }
}

impl Parameters for Body {
    fn address(&mut self) -> Result<Address> {
        Err(Error::bug("a search is about no single context"))
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>> {
        match (name, self.take(name)?) {
            (_, None) => Ok(None),
            ("levels", Some(Value::Array(levels))) => joined(&levels).map(Some),
            ("explain", Some(Value::Bool(explain))) => Ok(Some(format!("{explain}"))),
            ("levels", Some(_)) => Err(wrong("must be an array of levels")),
            ("explain", Some(_)) => Err(wrong("must be true or false")),
            (_, Some(Value::String(text))) => Ok(Some(text)),
            (_, Some(_)) => Err(wrong("must be a string")),
        }
        .map_err(|error| self.place(name, error))
    }

    fn number(&mut self, name: &'static str, most: u64) -> Result<Option<u64>> {
        match self.take(name)? {
            None => Ok(None),
            Some(Value::Number(Number::Unsigned(number))) if (1..=most).contains(&number) => {
                Ok(Some(number))
            }
            Some(_) => Err(self.place(name, not_from_one_to(most))),
        }
    }

    fn flag(&mut self, name: &'static str) -> Result<bool> {
        self.0.flag(name)
    }

    fn state(&mut self, name: &'static str) -> Result<Option<AsOf>> {
        let state = self.take(name)?.map(|state| request::state(&state)).transpose();
        state.map_err(|error| self.place(name, error))
    }

    fn context(&mut self, name: &'static str) -> Result<Option<Address>> {
        let address = |value| {
            let mut members = Members::of(value)?;
            let (level, id): (String, String) =
                (members.required("level")?, members.required("id")?);
            members.end()?;
            Address::parse(&level, &id)
        };
        self.take(name)?.map(address).transpose().map_err(|error| self.place(name, error))
    }

    fn place(&self, name: &'static str, error: Error) -> Error {
        in_body(name, error)
    }
}

/// Adds the pointer of a body's member to an error.
fn in_body(name: &str, error: Error) -> Error {
    let pointer = format!("/{name}{}", error.pointer().unwrap_or_default());
    error.at(pointer)
}

fn joined(levels: &[Value]) -> Result<String> {
    let names: Option<Vec<&str>> = levels.iter().map(Value::as_str).collect();
    match names {
        Some(names) if !names.is_empty() => Ok(names.join(",")),
        _ => Err(wrong("must be an array of one to four levels")),
    }
}

fn wrong(detail: &'static str) -> Error {
    Error::new(Code::InvalidRequest, detail)
}
