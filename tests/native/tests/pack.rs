//! Laws of context packs: they stay within their tokens, an edit below changes nothing above, and what is
//! told is the view.

use nacre_core::{
    access::Scopes,
    address::Address,
    decide::admit,
    id::User,
    json,
    level::Level,
    op::{Caller, Edit, Expect, Put},
    pack::{Ask, Calls, Counter, Format, Pack, pack},
    rules::Rules,
    value::{Object, Value},
};
use nacre_tests::arbitrary;
use nacre_topics::world::World;
use proptest::{collection::vec, prelude::*};

const CHAIN: [(Level, &str); 4] = [
    (Level::Global, "global"),
    (Level::Project, "shop"),
    (Level::Branch, "main"),
    (Level::Task, "cart"),
];

fn address(layer: usize) -> Address {
    let (level, id) = CHAIN[layer];
    Address::parse(level.as_str(), id).unwrap()
}

/// A store with one chain of these layers.
fn world(layers: &[(Object, Rules)]) -> World {
    let mut world = World::empty();
    layers
        .iter()
        .enumerate()
        .for_each(|(layer, (data, rules))| put(&mut world, layer, data, rules));
    world
}

/// Writes a layer, unless a lock forbids it.
fn put(world: &mut World, layer: usize, data: &Object, rules: &Rules) {
    let above = layer.checked_sub(1).filter(|above| *above > 0);
    let put = |data: &Object, rules: &Rules| {
        Edit::Put(Put {
            address: address(layer),
            data: data.clone(),
            parent: above.map(|above| address(above).id),
            rules: Some(rules.clone()),
            summary: None,
            create_parents: false,
            expect: Expect::Anything,
        })
    };
    if world.run(put(data, rules)).is_err() {
        world.run(put(&Object::new(), &Rules::default())).expect("an empty layer");
    }
}

fn packed(world: &World, layer: usize, max_tokens: usize, format: Format) -> Pack {
    packed_at(world, address(layer), max_tokens, format)
}

fn packed_at(world: &World, address: Address, max_tokens: usize, format: Format) -> Pack {
    let user = User::parse("alice").unwrap();
    let caller = Caller { user: user.clone(), owner: user, scopes: Scopes::READ };
    admit(&world.store, &caller).unwrap();
    let counter = Counter::Cautious;
    let ask = Ask { address, max_tokens, counter, format, origins: false, calls: Calls::Http };
    pack(&world.store, &caller, &ask).unwrap()
}

/// Does to a document what a layer of a pack says.
fn tell(document: &mut Value, said: &Value) {
    let Some(said) = said.as_object() else {
        *document = said.clone();
        return;
    };
    if document.as_object().is_none() || said.get("$replaces") == Some(&Value::Bool(true)) {
        *document = Value::Object(Object::new());
    }
    let object = document.as_object_mut().unwrap();
    for (name, said) in said.iter().filter(|(name, _)| *name != "$replaces") {
        match said {
            Value::Null => drop(object.remove(name)),
            _ => tell(object.get_or_insert_with(name, || Value::Null), said),
        }
    }
}

fn layer() -> impl Strategy<Value = (Object, Rules)> {
    let pointers = ["/a", "/b", "/a/b", "/c"];
    let kinds = ["replace", "deep", "union", "append", "keyed:a", "lock"];
    let rule =
        (proptest::sample::select(pointers.to_vec()), proptest::sample::select(kinds.to_vec()));
    (arbitrary::object(), vec(rule, 0..3)).prop_map(|(data, rules)| {
        let mut object = Object::new();
        rules.into_iter().for_each(|(at, kind)| drop(object.insert(at, Value::from(kind))));
        (data, Rules::from_object(&object).unwrap())
    })
}

/// Layers of many members, some of them long.
fn long() -> impl Strategy<Value = Object> {
    vec((arbitrary::name(), 0usize..120, any::<bool>()), 0..16).prop_map(|members| {
        let mut object = Object::new();
        for (at, (name, length, is_object)) in members.into_iter().enumerate() {
            let text = Value::from("word ".repeat(length).as_str());
            let value = if is_object {
                let mut inner = Object::new();
                inner.insert("about", text);
                inner.insert("port", Value::from("8000"));
                Value::Object(inner)
            } else {
                text
            };
            object.insert(format!("{name}{at}"), value);
        }
        object
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..arbitrary::config() })]

    #[test]
    fn a_pack_that_leaves_nothing_out_is_the_view(layers in vec(layer(), 1..=4)) {
        let mut world = world(&layers);
        let pack = packed(&world, layers.len() - 1, 200_000, Format::Json);
        let pack = json::read(pack.text.as_bytes(), 128).unwrap();
        let pack = pack.as_object().unwrap();
        prop_assert_eq!(pack.get("left_out").unwrap().as_array().unwrap().len(), 0);
        let mut told = Value::Object(Object::new());
        for section in pack.get("layers").unwrap().as_array().unwrap() {
            tell(&mut told, section.as_object().unwrap().get("data").unwrap());
        }
        let view = world.view(&address(layers.len() - 1), None).unwrap();
        prop_assert_eq!(String::from_utf8(json::write(&told)).unwrap(), String::from_utf8(view).unwrap());
    }

    #[test]
    fn a_pack_has_no_more_tokens_than_asked_for(
        layers in vec(long(), 1..=4),
        max_tokens in 256usize..1500,
        is_json in any::<bool>()
    ) {
        let none = Rules::default();
        let layers: Vec<_> = layers.into_iter().map(|data| (data, none.clone())).collect();
        let world = world(&layers);
        let format = if is_json { Format::Json } else { Format::Markdown };
        let pack = packed(&world, layers.len() - 1, max_tokens, format);
        let counted = Counter::Cautious.count(&pack.text);
        prop_assert!(counted <= pack.tokens && pack.tokens <= max_tokens, "{counted} {}", pack.tokens);
        if is_json {
            let value = json::read(pack.text.as_bytes(), 128).unwrap();
            prop_assert_eq!(String::from_utf8(json::write(&value)).unwrap(), pack.text);
        }
    }

    #[test]
    fn an_edit_below_changes_no_byte_above(
        layers in vec(long(), 2..=4),
        edit in long(),
        max_tokens in 500usize..1500,
        is_json in any::<bool>()
    ) {
        let none = Rules::default();
        let layers: Vec<_> = layers.into_iter().map(|data| (data, none.clone())).collect();
        let mut world = world(&layers);
        let last = layers.len() - 1;
        let format = if is_json { Format::Json } else { Format::Markdown };
        let before = packed(&world, last, max_tokens, format).text;
        put(&mut world, last, &edit, &none);
        let after = packed(&world, last, max_tokens, format).text;
        let (level, id) = CHAIN[last];
        let own = match format {
            Format::Markdown => format!("\n## {level}/{id}\n"),
            Format::Json => format!("{{\"context\":{{\"id\":\"{id}\",\"level\":\"{level}\"}}"),
        };
        // Where its own section begins; the pack of so many words always has room for the heading.
        let above = |text: &str| text.find(&own).map(|end| text[..end].to_owned());
        prop_assert!(above(&before).is_some(), "{}", before);
        prop_assert_eq!(above(&before), above(&after));
    }
}

#[test]
fn packs_of_two_tasks_begin_alike_whatever_their_ids() {
    let none = Rules::default();
    let mut global = Object::new();
    for at in 0..200 {
        global.insert(format!("place{at:03}"), Value::from("some words about it"));
    }
    let empty = || (Object::new(), none.clone());
    let mut world = world(&[(global, none.clone()), empty(), empty(), empty()]);
    let long = Address::parse("task", &"-cart_2.".repeat(12)).unwrap();
    let put = Put {
        address: long.clone(),
        data: Object::new(),
        parent: Some(address(2).id),
        rules: None,
        summary: None,
        create_parents: false,
        expect: Expect::Anything,
    };
    world.run(Edit::Put(put)).unwrap();
    for format in [Format::Markdown, Format::Json] {
        let [short, long] =
            [address(3), long.clone()].map(|at| packed_at(&world, at, 1000, format).text);
        let own = match format {
            Format::Markdown => "\n## task/",
            Format::Json => "{\"context\":{\"id\":\"cart\"",
        };
        let above = &short[..short.find(own).unwrap()];
        assert!(above.len() > 400 && long.starts_with(above), "{short}\n{long}");
    }
}
