//! Views from a cache equal views made afresh, whatever was written between; and a write drops the
//! views that it changes and no others.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code stops at the first surprise"
)]

use std::rc::Rc;

use nacre_core::{
    address::Address,
    cache::{Records, Tally, Views},
    id::{ContextId, User},
    json,
    layer::Layer,
    level::Level,
    moment::Moment,
    record::{Heading, Record},
    rules::Rules,
    store::resolve_records,
    value::{Object, Value},
};
use nacre_tests::arbitrary::{config, object};
use proptest::{collection::vec, prelude::*, sample::select};

fn record(level: Level, id: &str, data: Value, rules: &[(&str, &str)]) -> Rc<Record> {
    let mut object = Object::new();
    for (pointer, rule) in rules {
        object.insert(*pointer, (*rule).into());
    }
    Rc::new(Record {
        heading: Rc::new(Heading {
            address: Address { level, id: ContextId::parse(id).unwrap() },
            parent: None,
            version: 1,
            seq: 1,
            rules: Rc::new(Rules::from_object(&object).unwrap()),
            created_at: Moment(0),
            updated_at: Moment(0),
            updated_by: User::parse("alice").unwrap(),
            deleted: None,
        }),
        layer: Rc::new(Layer::from_value(&data).unwrap()),
    })
}

fn parsed(data: &str) -> Value {
    json::read(data.as_bytes(), 64).unwrap()
}

/// One global context, two projects and two branches in each.
#[derive(Clone, Debug)]
enum Step {
    /// Write a layer; none of the views need be asked for in between.
    Write { place: usize, data: Object, rule: Option<(&'static str, &'static str)> },
    /// Write what is there once more, as another row.
    Rewrite { place: usize },
    /// Ask for a view.
    View { place: usize },
}

const PLACES: [(Level, &str); 7] = [
    (Level::Global, "global"),
    (Level::Project, "a"),
    (Level::Project, "b"),
    (Level::Branch, "aa"),
    (Level::Branch, "ab"),
    (Level::Branch, "ba"),
    (Level::Branch, "bb"),
];

/// The places of a chain, upper first.
fn chain(place: usize) -> &'static [usize] {
    [&[0][..], &[0, 1], &[0, 2], &[0, 1, 3], &[0, 1, 4], &[0, 2, 5], &[0, 2, 6]][place]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place = 0..PLACES.len();
    let rules = [("/a", "lock"), ("/b", "append"), ("/a", "replace"), ("", "deep")];
    let rule = proptest::option::of(select(rules.to_vec()));
    let step = prop_oneof![
        2 => (place.clone(), object(), rule)
            .prop_map(|(place, data, rule)| Step::Write { place, data, rule }),
        1 => place.clone().prop_map(|place| Step::Rewrite { place }),
        3 => place.prop_map(|place| Step::View { place }),
    ];
    vec(step, 1..60)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_cached_view_is_the_view(steps in steps(), room in select(vec![0, 900, 3000, 1 << 20])) {
        let mut rows: Vec<Rc<Record>> = PLACES
            .iter()
            .map(|(level, id)| record(*level, id, Value::Object(Object::new()), &[]))
            .collect();
        let mut views = Views::new(room);
        let mut records = Records::new(room);
        for step in steps {
            match step {
                Step::Write { place, data, rule } => {
                    let (level, id) = PLACES[place];
                    rows[place] = record(level, id, Value::Object(data), rule.as_slice());
                    records.put(&rows[place].address, Some(&rows[place]), 9);
                }
                Step::Rewrite { place } => {
                    let old = &rows[place];
                    let layer = Layer::from_canonical(old.layer.text().to_vec()).unwrap();
                    let rules = Rc::new((*old.rules).clone());
                    let heading = Heading { rules, ..(*old.heading).clone() };
                    rows[place] = Rc::new(Record { heading: Rc::new(heading), layer: Rc::new(layer) });
                    records.put(&rows[place].address, Some(&rows[place]), 9);
                }
                Step::View { place } => {
                    let chain: Vec<_> = chain(place)
                        .iter()
                        .map(|place| {
                            let row = &rows[*place];
                            let known = records.get(&row.address).flatten();
                            prop_assert!(known.is_none_or(|known| Rc::ptr_eq(&known, row)));
                            Ok(row.clone())
                        })
                        .collect::<Result<_, TestCaseError>>()?;
                    let before = views.tally();
                    prop_assert_eq!(&views.view(&chain), &resolve_records(&chain));
                    let again = views.tally();
                    prop_assert_eq!(sum(again), sum(before) + 1);
                    prop_assert_eq!(&views.view(&chain), &resolve_records(&chain));
                    let hit = views.tally().hits == again.hits + 1;
                    prop_assert!(hit || room < 1 << 20, "asked twice, made twice");
                }
            }
            prop_assert!(views.bytes() <= room && records.bytes() <= room);
        }
    }
}

fn sum(tally: Tally) -> u64 {
    tally.hits + tally.kept + tally.misses
}

#[test]
fn a_write_drops_the_views_it_changes_and_no_others() {
    let global = |data: &str| record(Level::Global, "global", parsed(data), &[]);
    let shadowing = record(Level::Project, "a", parsed(r#"{"x":1}"#), &[]);
    let inheriting = record(Level::Project, "b", parsed(r#"{"y":1}"#), &[]);
    let mut views = Views::new(1 << 20);
    let mut ask = |global: &Rc<Record>| {
        let a = views.view(&[global.clone(), shadowing.clone()]);
        let b = views.view(&[global.clone(), inheriting.clone()]);
        let Tally { hits, kept, misses } = views.tally();
        (a, b, (hits, kept, misses))
    };
    let first = global(r#"{"x":0}"#);
    let (a, b, tally) = ask(&first);
    assert_eq!(tally, (0, 0, 2));
    assert_eq!(ask(&first).2, (2, 0, 2));
    let second = global(r#"{"x":5}"#);
    let (kept, made, tally) = ask(&second);
    assert_eq!(tally, (2, 1, 3));
    assert!(Rc::ptr_eq(&a, &kept) && !Rc::ptr_eq(&b, &made));
    assert_eq!(made.text, br#"{"x":5,"y":1}"#);
    assert_eq!(ask(&second).2, (4, 1, 3), "kept and made views are hits from then on");
}

#[test]
fn that_there_is_no_record_is_known_too() {
    let mut records = Records::new(1 << 20);
    let row = record(Level::Project, "a", parsed("{}"), &[]);
    assert_eq!(records.get(&row.address), None);
    records.put(&row.address, None, 0);
    assert_eq!(records.get(&row.address), Some(None));
    records.put(&row.address, Some(&row), 9);
    assert_eq!(records.get(&row.address), Some(Some(row.clone())));
    records.forget(&row.address);
    assert_eq!(records.get(&row.address), None);
}
