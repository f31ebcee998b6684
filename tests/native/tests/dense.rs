//! Laws of searches with an embedding model of the deployment: what it is asked, what counts as its
//! answer, and what is compared.

use nacre_core::{
    address::Address,
    error::Code,
    retrieval::{
        Corpus, DenseVector, Document, EmbeddingModel, Encoders, Found, Question, dense_text,
        dense_vectors, search_by,
    },
    search::semantic::vector::Vector,
    store::Reads,
};
use nacre_tests::searches::{caller, live, put, question, scores};
use nacre_topics::world::World;

fn vector(numbers: &[f32]) -> Vector {
    Vector::new(numbers).unwrap()
}

fn address(name: &str) -> Address {
    let (level, id) = name.split_once('/').unwrap();
    Address::parse(level, id).unwrap()
}

/// A store of three tasks.
fn world() -> World {
    let mut world = World::empty();
    for (name, text) in [("sea", "whales sing"), ("coast", "a lamp"), ("inland", "a hill")] {
        world.run(put(&format!("task/{name}"), Some("main"), text)).unwrap();
    }
    world
}

/// Its documents, with vectors of `made_by`, in a deployment with the model `model`.
fn corpus(world: &World, model: &str, made_by: &str) -> Corpus {
    let mut corpus = Corpus::default().with_model(Some(EmbeddingModel::named(model)));
    for (place, address) in live(&world.store).into_iter().enumerate() {
        let mut document = Document::read(&world.store, &address).unwrap().unwrap();
        let vector = vector(&[place as f32 + 1.0, 1.0]);
        document.dense =
            Some(DenseVector { model: EmbeddingModel::named(made_by), vector: Some(vector) });
        assert_eq!(Document::decode(&document.encode()).as_ref(), Some(&document));
        corpus.upsert_encoded(&document.encode()).unwrap();
    }
    corpus
}

fn find(world: &World, corpus: &Corpus, dense: Option<&Vector>, question: &Question) -> Found {
    let encoders = Encoders { models: None, dense };
    search_by(&world.store, &caller("alice"), corpus, encoders, question).unwrap()
}

fn ranking(found: &Found) -> Vec<&'static str> {
    found.ranking.names().collect()
}

#[test]
fn a_question_is_ranked_by_the_vectors_of_the_model() {
    let world = world();
    let corpus = corpus(&world, "one", "one");
    let asked = question(&[("q", "lamp")]);
    assert_eq!(corpus.dense_question(&asked).as_deref(), Some("lamp"));
    let query = corpus.dense_answer(&[vec![1.0, 1.0]]).unwrap();
    let found = find(&world, &corpus, Some(&query), &asked);
    assert_eq!(ranking(&found), ["words", "dense"]);
    let first = &found.items[0];
    assert_eq!(first.address, address("task/coast"), "the word counts beside the vectors");
    let near = |found: &Found, name: &str| {
        let item = found.items.iter().find(|item| item.address == address(name)).unwrap();
        item.reasons.as_ref().unwrap().near.unwrap()
    };
    let nearest = live(&world.store).into_iter().next().unwrap();
    assert!(near(&found, &nearest.to_string()) > 0.99);
}

#[test]
fn vectors_of_two_models_are_never_compared() {
    let world = world();
    let corpus = corpus(&world, "two", "one");
    let asked = question(&[("q", "lamp")]);
    assert_eq!(corpus.dense_question(&asked), None, "there is nothing to compare");
    let error = corpus.dense_answer(&[vec![1.0, 1.0]]).unwrap_err();
    assert_eq!(error.code(), Code::SearchUnavailable);
    let found = find(&world, &corpus, Some(&vector(&[1.0, 1.0])), &asked);
    assert_eq!(ranking(&found), ["words"]);
}

#[test]
fn a_question_is_not_sent_where_its_vector_cannot_count() {
    let world = world();
    let whole = corpus(&world, "one", "one");
    let text = question(&[("q", "lamp"), ("mode", "text")]);
    assert_eq!(whole.dense_question(&text), None, "full text alone");
    assert_eq!(whole.dense_question(&question(&[("q", "level:task")])), None, "no words");
    let secret = question(&[("q", "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB")]);
    assert_eq!(whole.dense_question(&secret), None, "what looks like a credential");
    let long = "tide ".repeat(2_000);
    let sent = whole.dense_question(&question(&[("q", &long[..1_000])])).unwrap();
    assert!(sent.len() <= 4096);
    assert_eq!(Corpus::default().dense_question(&question(&[("q", "lamp")])), None, "no model");
    let mut loading = whole.clone();
    loading.set_whole(false);
    assert_eq!(loading.dense_question(&question(&[("q", "lamp")])), None, "words alone rank");
}

#[test]
fn an_answer_that_is_none_is_refused() {
    let one = vec![1.0, 0.0];
    for (answer, texts) in [
        (vec![], 1),
        (vec![one.clone()], 2),
        (vec![one.clone(), vec![1.0]], 2),
        (vec![vec![]], 1),
        (vec![vec![f32::NAN, 1.0]], 1),
        (vec![vec![f32::INFINITY, 1.0]], 1),
    ] {
        let error = dense_vectors(&answer, texts).unwrap_err();
        assert_eq!(error.code(), Code::SearchUnavailable, "{answer:?}");
    }
    assert_eq!(dense_vectors(&[one.clone(), one], 2).unwrap().len(), 2);
    let world = world();
    let error = corpus(&world, "one", "one").dense_answer(&[vec![1.0, 0.0, 0.0]]).unwrap_err();
    assert_eq!(error.code(), Code::SearchUnavailable, "of other dimensions");
}

#[test]
fn a_vector_that_comes_between_two_pages_ranks_on_neither() {
    let world = world();
    let mut corpus = corpus(&world, "one", "one");
    let late = address("task/sea");
    corpus.upsert(Document::read(&world.store, &late).unwrap().unwrap());
    corpus.set_whole(true);
    let query = vector(&[1.0, 1.0]);
    let all = find(&world, &corpus, Some(&query), &question(&[("q", "lamp whales")]));
    let given = [("q", "lamp whales"), ("limit", "1")];
    let first = find(&world, &corpus, Some(&query), &question(&given));

    let model = EmbeddingModel::named("one");
    corpus.give_dense(&late, &DenseVector { model, vector: Some(query.clone()) });
    let now = find(&world, &corpus, Some(&query), &question(&[("q", "lamp whales")]));
    assert_ne!(scores(&now), scores(&all), "it counts from now on");
    let cursor = first.next_cursor.clone().unwrap();
    let rest = question(&[("q", "lamp whales"), ("cursor", &cursor)]);
    assert!(corpus.dense_question(&rest).is_some(), "further pages need the model too");
    let mut paged = scores(&first);
    paged.extend(scores(&find(&world, &corpus, Some(&query), &rest)));
    assert_eq!(paged, scores(&all));

    let encoders = Encoders::default();
    let without = search_by(&world.store, &caller("alice"), &corpus, encoders, &rest);
    assert_eq!(without.unwrap_err().code(), Code::SearchUnavailable, "without the model");
}

#[test]
fn a_question_with_a_vector_of_its_own_goes_by_that() {
    let world = world();
    let mut corpus = corpus(&world, "one", "one");
    corpus.give_vector(&address("task/sea"), &vector(&[0.0, 0.0, 1.0])).unwrap();
    let body = r#"{"q":"lamp","vector":[0,0,1]}"#;
    let own = Question::of_body(nacre_core::json::read(body.as_bytes(), 8).unwrap()).unwrap();
    assert_eq!(corpus.dense_question(&own), None);
    let found = find(&world, &corpus, Some(&vector(&[1.0, 1.0])), &own);
    assert_eq!(ranking(&found), ["words", "embeddings"]);
}

#[test]
fn the_text_of_a_document_is_bounded_and_holds_no_secret() {
    let mut world = World::empty();
    world.run(put("task/t", Some("main"), &"é ".repeat(5_000))).unwrap();
    let record = world.store.record(&address("task/t")).unwrap().unwrap();
    let text = dense_text(&record, &["a note".into()]).unwrap();
    assert!(text.len() <= 4096 && text.starts_with("é é"), "{} bytes", text.len());
    world.run(put("task/s", Some("main"), "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB")).unwrap();
    let record = world.store.record(&address("task/s")).unwrap().unwrap();
    let text = dense_text(&record, &[]).unwrap();
    assert!(!text.contains("ghp_"), "a sealed value: {text}");
}
