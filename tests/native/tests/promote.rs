//! The laws of promotions: approving changes no view of the chain that promotes, and undoing an
//! approval gives both contexts back, byte for byte.

use nacre_core::{
    address::Address,
    error::Code,
    json,
    layer::Layer,
    level::Level,
    op::{Administration, Edit, Expect, Inspection, Put},
    plan::Reply,
    pointer::Pointer,
    promote::promote,
    promotion::{Proposal, Standing, Verdict},
    resolve::{Link, resolve},
    rules::Rules,
    value::{Object, Value},
};
use nacre_tests::arbitrary;
use nacre_topics::world::World;
use proptest::{collection::vec, prelude::*, sample::Index, sample::select};

/// Documents whose names are few, so that layers have much in common.
fn object() -> impl Strategy<Value = Object> {
    let leaf = prop_oneof![
        Just(Value::Null),
        (0..3u64).prop_map(Value::from),
        vec((0..3u64).prop_map(Value::from), 0..3).prop_map(Value::from),
    ];
    let members = |inner: BoxedStrategy<Value>| {
        vec((select(vec!["a", "b", "c"]), inner), 0..4).prop_map(|members| {
            let mut object = Object::new();
            for (name, value) in members {
                object.insert(name, value);
            }
            object
        })
    };
    let nested = leaf.clone().boxed();
    let inner = prop_oneof![nested, members(leaf.boxed()).prop_map(Value::from)].boxed();
    members(prop_oneof![inner.clone(), members(inner).prop_map(Value::from)].boxed())
}

fn rules() -> impl Strategy<Value = Rules> {
    let rule = select(vec!["append", "union", "replace", "deep", "lock"]);
    let path = select(vec!["/a", "/b", "/a/b", "/c/a"]);
    prop_oneof![
        3 => Just(Rules::default()),
        1 => (path, rule).prop_map(|(path, rule)| {
            let mut table = Object::new();
            table.insert(path, rule.into());
            Rules::from_object(&table).expect("rules")
        }),
    ]
}

/// Every place inside the objects of a document.
fn places(object: &Object, above: &Pointer, found: &mut Vec<Pointer>) {
    for (name, value) in object.iter() {
        let place = above.child(name);
        if let Value::Object(inner) = value {
            places(inner, &place, found);
        }
        found.push(place);
    }
}

fn place(object: &Object, which: &Index) -> Pointer {
    let mut found = vec![Pointer::root()];
    places(object, &Pointer::root(), &mut found);
    which.get(&found).clone()
}

fn layer(object: &Object) -> Layer {
    Layer::from_value(&object.clone().into()).expect("a document")
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn a_promotion_changes_no_view_of_its_chain(
        documents in vec(object(), 2..5),
        rules in vec(rules(), 4),
        to: Index,
        which: Index,
    ) {
        let layers: Vec<Layer> = documents.iter().map(layer).collect();
        let links = |layers: &[Layer]| -> Vec<u8> {
            let chain: Vec<Link<'_>> =
                layers.iter().zip(&rules).map(|(layer, rules)| Link { layer, rules }).collect();
            resolve(&chain)
        };
        let last = documents.len() - 1;
        let (to, pointer) = (to.index(last), place(&documents[last], &which));
        let chain: Vec<Link<'_>> =
            layers.iter().zip(&rules).map(|(layer, rules)| Link { layer, rules }).collect();
        match promote(&chain, to, &pointer) {
            Ok(promoted) => {
                let mut after = layers.clone();
                after[to] = Layer::from_value(&promoted.upper).expect("a document");
                after[last] = Layer::from_value(&promoted.lower).expect("a document");
                prop_assert_eq!(links(&after), links(&layers));
                prop_assert!(pointer.is_root() || pointer.get(&promoted.lower).is_none());
            }
            Err(error) => prop_assert!(matches!(
                error.code(),
                Code::NotFound | Code::InvalidPointer | Code::Locked | Code::MergeConflict
            ), "{}", error),
        }
    }

    #[test]
    fn a_value_of_two_plain_layers_always_moves(
        upper in object(), lower in object(), which: Index,
    ) {
        let (pointer, none) = (place(&lower, &which), Rules::default());
        let layers = [layer(&upper), layer(&lower)];
        let [document, value] = [&upper, &lower].map(|side| Value::from(side.clone()));
        let is_there = pointer.get(&value).is_some_and(|value| !value.is_null());
        // What stands around the place above must be objects, and without rules nothing else refuses.
        let mut around = pointer.clone();
        let mut is_open = true;
        while around.pop() {
            is_open &= around.get(&document).is_none_or(|value| matches!(value, Value::Object(_)));
        }
        // Tombstones may need what is above both layers, so they are not part of this law.
        let is_plain = !json::write(&document).windows(4).any(|text| text == b"null")
            && !json::write(&value).windows(4).any(|text| text == b"null");
        let chain = layers.each_ref().map(|layer| Link { layer, rules: &none });
        let outcome = promote(&chain, 0, &pointer);
        if is_there && is_open && is_plain {
            prop_assert!(outcome.is_ok(), "{:?}", outcome);
        }
        prop_assert!(is_there || outcome.is_err());
    }

    #[test]
    fn undoing_an_approval_is_as_if_nothing_had_happened(
        documents in vec(object(), 4), to in 0..3usize, from in 1..4usize, which: Index,
    ) {
        prop_assume!(to < from);
        let address = |at: usize| {
            let [level, id] =
                [["global", "global"], ["project", "p"], ["branch", "b"], ["task", "t"]][at];
            Address::parse(level, id).expect("an address")
        };
        let mut world = World::empty();
        for (at, data) in documents.iter().enumerate() {
            let above = at.checked_sub(1).map(address);
            let parent = above.filter(|above| above.level != Level::Global).map(|above| above.id);
            let put = Put {
                address: address(at), data: data.clone(), parent, rules: None, summary: None,
                create_parents: false, expect: Expect::Anything,
            };
            world.run(Edit::Put(put)).expect("a context");
        }
        let all = |world: &mut World| {
            [0, 1, 2, 3].map(|at| (world.data(&address(at)), world.view(&address(at), None)))
        };
        let before = all(&mut world);
        let proposal = Proposal {
            from: address(from), pointer: place(&documents[from], &which), to: address(to),
            reason: None, evidence: None,
        };
        let Ok(Reply::Promotion(made)) = world.run(Administration::Propose(proposal.into())) else {
            return Ok(());
        };
        prop_assert_eq!(&all(&mut world), &before);
        let id = made.promotion.id;
        world.run(Administration::Settle(id, Verdict::Approve)).expect("an approval");
        let approved = all(&mut world);
        prop_assert_eq!(&approved[from].1, &before[from].1);
        world.run(Administration::Settle(id, Verdict::Undo)).expect("an undo");
        prop_assert_eq!(&all(&mut world), &before);
    }
}

/// A list that shows little of what it reads must still end, and go on where it ended.
#[test]
fn a_list_that_passes_over_many_promotions_goes_on_with_its_next_page() {
    let mut world = World::empty();
    let place = |level: &str, id: &str| Address::parse(level, id).expect("an address");
    for (address, data) in [
        (Address::global(), Object::new()),
        (place("project", "p"), {
            let mut data = Object::new();
            data.insert("a", 1u64.into());
            data
        }),
    ] {
        let put = Put {
            address,
            data,
            parent: None,
            rules: None,
            summary: None,
            create_parents: false,
            expect: Expect::Anything,
        };
        world.run(Edit::Put(put)).expect("a context");
    }
    for _ in 0..1001 {
        let proposal = Proposal {
            from: place("project", "p"),
            pointer: Pointer::parse("/a").expect("a pointer"),
            to: Address::global(),
            reason: None,
            evidence: None,
        };
        world.run(Administration::Propose(proposal.into())).expect("a proposal");
    }
    let mut page = |before| {
        let standing = Some(Standing::Approved);
        let reply = world.run(Inspection::Promotions { standing, before, limit: 10 });
        let Ok(Reply::Promotions { items, next }) = reply else { panic!("a page") };
        assert!(items.is_empty());
        next
    };
    let next = page(None);
    assert!(next.is_some(), "there is more to look at");
    assert_eq!(page(next), None);
}
