//! Searches of a store: what each one answers, after some writes and shares.

use nacre_core::{
    access::Scopes,
    address::Address,
    error::Result,
    id::{ContextId, User},
    memory::MemoryStore,
    op::{Administration, Batch, Caller, Command, Read, Which},
    record::{EntryKind, Role, Terms},
    retrieval::{Collection, ContextTexts, Corpus, Document, Found, Question, answer, search},
    search::semantic::vector::Vector,
    store::{Filter, Reads as _},
    wire::{Answer, operation},
};
use serde_json::json;

use crate::{Case, Json, Topic, error, from_serde, list, text, world::World};

/// The most notes of each kind that a collection is given.
const NOTES: usize = 100;

/// A write is an operation, `share` with a member, or `vector` for a context (`given_to`). A search has the members of a body, and `as`
/// for another user than alice, whose store it is. The cursor of a next page is not told.
pub(crate) const TOPIC: Topic = Topic::new("retrieval", &["writes", "searches"], &["answers"], run);

fn run(case: &Case) -> Vec<Json> {
    let mut world = after(case);
    let mut collection = collection(&mut world);
    let mut corpus = corpus(&world.store, false);
    let mut other = self::corpus(&world.store, true);
    for (address, numbers) in vectors(case) {
        collection.give_vector(&address, &numbers).expect("a context");
        let vector = Vector::new(&numbers).expect("a vector");
        corpus.give_vector(&address, &vector).expect("a context");
        other.give_vector(&address, &vector).expect("a context");
    }
    let answers = list(&case["searches"]).iter().map(|asked| {
        let found = ask(&world.store, &corpus, asked, &[]);
        assert_eq!(found, ask(&world.store, &other, asked, &[]), "from another corpus");
        if is_owners(asked) {
            let told = collection.find(&asked.to_string(), None);
            let found = found.as_ref().map_err(Clone::clone);
            assert_eq!(told, found.and_then(answer), "from a collection");
        }
        match found {
            Ok(found) => {
                check_pages(&world.store, &corpus, asked, &found);
                told(&found)
            }
            refused => error(&refused),
        }
    });
    vec![answers.collect()]
}

/// The store after the writes of a case.
pub fn after(case: &Case) -> World {
    let mut world = World::empty();
    let writes = list(&case["writes"]).iter().filter(|step| step.get("vector").is_none());
    writes.for_each(|step| write(&mut world, step));
    world
}

/// The vectors that contexts are given after the writes.
pub fn vectors(case: &Case) -> Vec<(Address, Vec<f32>)> {
    let steps = list(&case["writes"]).iter().filter_map(|step| Some((step, step.get("vector")?)));
    steps
        .map(|(step, vector)| {
            let at = &step["given_to"];
            let address = Address::parse(text(&at["level"]), text(&at["id"])).expect("an address");
            let number = |number: &Json| number.as_f64().expect("a number") as f32;
            (address, list(vector).iter().map(number).collect())
        })
        .collect()
}

/// Whether a search is the owner's, who may read everything.
pub fn is_owners(asked: &Json) -> bool {
    asked.get("as").is_none() && asked.get("scopes").is_none()
}

/// A context with its notes, in the JSON of the API.
#[derive(Clone, Debug)]
pub struct Texts {
    /// The context.
    pub context: String,
    /// The `seq` of its last change.
    pub seq: u64,
    /// The newest insights.
    pub insights: String,
    /// The newest notes on progress.
    pub progress: String,
}

/// All live contexts, as reads give them.
pub fn texts(world: &mut World) -> Vec<Texts> {
    let live = world.store.list(&Filter::default(), None, usize::MAX).expect("a list");
    let texts = |heading: &nacre_core::record::Heading| {
        let address = heading.address.clone();
        let get = Read::Get { address: address.clone(), which: Which::Current, reveal: false };
        Texts {
            context: String::from_utf8(body(world, get)).expect("UTF-8"),
            seq: heading.seq,
            insights: entries(world, &address, EntryKind::Insight),
            progress: entries(world, &address, EntryKind::Progress),
        }
    };
    live.iter().map(|heading| &**heading).map(texts).collect()
}

/// The items of a page of notes.
fn entries(world: &mut World, address: &Address, kind: EntryKind) -> String {
    let (address, before, limit) = (address.clone(), None, NOTES);
    let page = body(world, Read::Entries { address, kind, before, limit, reveal: false });
    let page: Json = serde_json::from_slice(&page).expect("a page");
    page["items"].to_string()
}

fn body(world: &mut World, read: Read) -> Vec<u8> {
    let reply = world.run(read).expect("a reply");
    Answer::of(&reply, 0).expect("an answer").body
}

/// The collection of a host that has read all contexts.
fn collection(world: &mut World) -> Collection {
    let mut collection = Collection::default();
    for Texts { context, seq, insights, progress } in texts(world) {
        let given =
            ContextTexts { context: &context, seq, insights: &insights, progress: &progress };
        collection.put(&given).expect("what reads give");
    }
    collection
}

/// Does one of the writes of a case.
pub(crate) fn write(world: &mut World, step: &Json) {
    let command = match step.get("share") {
        Some(share) => {
            let terms =
                Terms { global: share["global"].as_bool().unwrap_or(true), ..Role::Reader.into() };
            let user = User::parse(text(&share["user"])).expect("a user");
            let project = ContextId::parse(text(&share["project"])).expect("an id");
            Administration::PutMember { user, project, terms }.into()
        }
        None => Command::Batch(Batch {
            transaction: true,
            operations: vec![operation::item(from_serde(step))],
        }),
    };
    world.run(command).unwrap_or_else(|error| panic!("{error}: {step}"));
}

/// The documents of all live contexts, each as its bytes give it again. In another way they come in
/// another order, and after other states.
fn corpus(store: &MemoryStore<'_>, other: bool) -> Corpus {
    let mut corpus = Corpus::default();
    let mut live = store.list(&Filter::default(), None, usize::MAX).expect("a list");
    if other {
        for heading in &live {
            let record = store.record(&heading.address).expect("a record").expect("a context");
            corpus.upsert(Document::of(&record, &["another state".into()]));
        }
        live.reverse();
    }
    for heading in live {
        let document = Document::read(store, &heading.address).expect("a store");
        let document = document.expect("a live context");
        let again = Document::decode(&document.encode());
        assert_eq!(again.as_ref(), Some(&document), "a document from its bytes");
        match other {
            true => drop(corpus.upsert_encoded(&document.encode()).expect("a document")),
            false => corpus.upsert(document),
        }
    }
    corpus
}

/// Searches with these members beside those of the case.
fn ask(
    store: &MemoryStore<'_>,
    corpus: &Corpus,
    asked: &Json,
    more: &[(&str, Json)],
) -> Result<Found> {
    let mut body = asked.as_object().expect("an object").clone();
    let user = body.remove("as").map_or("alice".into(), |user| text(&user).to_owned());
    let scopes = body.remove("scopes").map_or(Scopes::READ, |scopes| Scopes::parse(text(&scopes)));
    body.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    let [user, owner] = [user.as_str(), "alice"].map(|user| User::parse(user).expect("a user"));
    let question = Question::of_body(from_serde(&body.into()))?;
    search(store, &Caller { user, owner, scopes }, corpus, None, &question)
}

/// Pages of one item hold the items of one page, if that is the whole answer.
fn check_pages(store: &MemoryStore<'_>, corpus: &Corpus, asked: &Json, found: &Found) {
    let mut items = Vec::new();
    let mut more = vec![("limit", json!(1))];
    loop {
        let page = ask(store, corpus, asked, &more).expect("a page");
        if asked["scope"] != "resolved" {
            assert_eq!(page.total_estimate, found.total_estimate, "the total on a page of {asked}");
        }
        items.extend(page.items);
        let Some(cursor) = page.next_cursor else { break };
        assert!(items.len() < 1000, "pages come to an end");
        more.truncate(1);
        more.push(("cursor", json!(cursor)));
    }
    match found.next_cursor {
        None => assert_eq!(items, found.items, "pages of one item of {asked}"),
        Some(_) => assert_eq!(items[..found.items.len()], found.items[..], "pages of {asked}"),
    }
}

fn told(found: &Found) -> Json {
    shown(serde_json::from_slice(&answer(found).expect("an answer")).expect("JSON"))
}

/// An answer as the vectors have it: without the text of its cursor, and with snippets in one piece.
pub fn shown(mut told: Json) -> Json {
    if told["next_cursor"].is_string() {
        told["next_cursor"] = json!("…");
    }
    for item in told["items"].as_array_mut().expect("items") {
        let snippet = list(&item["snippet"]).iter().map(|part| match &part["found"] {
            Json::Null => text(&part["text"]).to_owned(),
            _ => format!("«{}»", text(&part["text"])),
        });
        item["snippet"] = snippet.collect::<String>().into();
    }
    told
}
