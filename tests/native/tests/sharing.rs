//! The law of sharing, over random histories: a guest sees a context only in states in which it
//! stood in a project shared with them, from the commit of sharing on, whichever way they ask.

use std::collections::BTreeMap;

use nacre_core::{
    address::Address,
    error::Error,
    id::{ContextId, User},
    level::Level,
    op::{Administration, Edit, Patch, Read, Resolve, Which},
    plan::Reply,
    record::{Change, EntryKind, Reach, Role, Terms},
    store::{AsOf, Filter, Reads},
    value::Value,
};
use nacre_tests::{
    arbitrary,
    histories::{address, universe, write},
};
use nacre_topics::world::World;
use proptest::{collection::vec, prelude::*, sample::Index};

/// Where every live context stood after a commit, and at which version.
type Snapshot = BTreeMap<Address, (u64, ContextId)>;

fn snapshot(world: &World) -> Snapshot {
    let store = &world.store;
    let live = store.list(&Filter::default(), None, usize::MAX).unwrap();
    let place = |address: &Address| {
        let mut at = address.clone();
        while at.level > Level::Project {
            at = store.record(&at).unwrap()?.above()?;
        }
        (at.level == Level::Project).then_some(at.id)
    };
    let placed = live.into_iter().filter_map(|record| {
        Some((record.address.clone(), (record.version, place(&record.address)?)))
    });
    placed.collect()
}

/// A history in which bob becomes a guest of project `p0`.
struct Shared {
    world: World,
    /// One for each commit, from 0.
    after: Vec<Snapshot>,
    /// The first commit after which bob sees the project.
    from: usize,
}

impl Shared {
    fn run(writes: Vec<Edit>, since: usize, reach: Reach) -> Option<Shared> {
        let (mut world, mut after) = (World::empty(), vec![Snapshot::new()]);
        let mut from = None;
        let terms = Terms { reach, reveal: true, ..Role::Writer.into() };
        let (bob, project) = (User::parse("bob").unwrap(), ContextId::parse("p0").unwrap());
        let share = Administration::PutMember { user: bob, project, terms };
        for (step, write) in writes.into_iter().enumerate() {
            if step >= since && from.is_none() && world.run(share.clone()).is_ok() {
                after.push(snapshot(&world));
                from = Some(if reach == Reach::All { 0 } else { after.len() - 1 });
            }
            // The project is not created anew, for that would end the membership.
            let ends = matches!(&write, Edit::Delete { address, .. }
                if ["p0", "global"].contains(&address.id.as_str()));
            if !ends
                && world.run(write).is_ok()
                && world.store.seq().unwrap() as usize == after.len()
            {
                after.push(snapshot(&world));
            }
        }
        Some(Shared { world, after, from: from? })
    }

    fn ask(&mut self, read: Read) -> Result<Reply, Error> {
        self.world.run_as("bob", "contexts:read contexts:write", read)
    }

    /// Whether a context stood in the shared project after a commit that bob may see.
    fn stood(&self, address: &Address, commit: usize) -> bool {
        let placed = self.after.get(commit).and_then(|all| all.get(address));
        commit >= self.from && placed.is_some_and(|(_, project)| project.as_str() == "p0")
    }

    /// The commits after which a version stood.
    fn commits(&self, address: &Address, version: u64) -> Vec<usize> {
        let holds = |all: &Snapshot| all.get(address).is_some_and(|(held, _)| *held == version);
        (0..self.after.len()).filter(|commit| holds(&self.after[*commit])).collect()
    }

    /// Whether bob must see a version (`Some`), or may see it or not (`None`): what stood in the
    /// project only while other contexts were moved may be left out.
    fn sees(&self, address: &Address, version: u64) -> Option<bool> {
        let (row, _) = self.row(address, version);
        if row.1 == Change::Delete {
            return Some(self.stood(address, row.0 - 1));
        }
        let all = self.commits(address, version);
        let commits: Vec<usize> = all.into_iter().filter(|commit| *commit >= self.from).collect();
        let ends = [commits.first(), commits.last()];
        match ends.into_iter().flatten().any(|commit| self.stood(address, *commit)) {
            true => Some(true),
            false if commits.iter().any(|commit| self.stood(address, *commit)) => None,
            false => Some(false),
        }
    }

    fn row(&self, address: &Address, version: u64) -> ((usize, Change), u64) {
        let rows = self.world.store.versions_from(address, version, 1).unwrap();
        ((rows[0].seq as usize, rows[0].change), rows[0].version)
    }
}

/// A write whose data no other write has.
fn told_apart(mut write: Edit, n: usize) -> Edit {
    match &mut write {
        Edit::Put(put) => drop(put.data.insert("n", (n as u64).into())),
        Edit::Update { patch: Patch::Merge(Value::Object(patch)), .. } => {
            drop(patch.insert("n", (n as u64).into()));
        }
        _ => {}
    }
    write
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn a_guest_sees_only_states_in_the_shared_project(
        writes in vec(write(), 1..60), since in any::<Index>(), all in any::<bool>()
    ) {
        let since = since.index(writes.len());
        let writes = writes.into_iter().enumerate().map(|(n, write)| told_apart(write, n));
        let reach = if all { Reach::All } else { Reach::FromShare };
        let Some(mut shared) = Shared::run(writes.collect(), since, reach) else { return Ok(()) };
        let newest = shared.after.len() - 1;
        prop_assert_eq!(shared.world.store.seq().unwrap() as usize, newest);
        for address in universe() {
            let Some(current) = shared.world.store.record(&address).unwrap() else { continue };
            let last = current.deleted.map_or(newest, |commit| commit as usize - 1);
            let enters = shared.stood(&address, last);
            let get = |which| Read::Get { address: address.clone(), which, reveal: false };

            let is_there = shared.ask(get(Which::Current)).is_ok();
            prop_assert_eq!(is_there, enters && current.is_live(), "{}", address);
            let mut visible = Vec::new();
            for version in 1..=current.version {
                let is_shown = shared.ask(get(Which::Version(version))).is_ok();
                match shared.sees(&address, version) {
                    Some(sees) => prop_assert_eq!(
                        is_shown, enters && sees, "{} version {}", address, version),
                    None => prop_assert!(enters || !is_shown),
                }
                if is_shown {
                    visible.push(version);
                }
            }
            for commit in 0..=newest {
                let expected = enters && shared.stood(&address, commit);
                let as_of = AsOf::Seq(commit as u64);
                let shown = shared.ask(get(Which::AsOf(as_of))).is_ok();
                prop_assert_eq!(shown, expected, "{} at {}", address, commit);
                let view = Read::Resolve(Resolve {
                    address: address.clone(), path: None, as_of: Some(as_of),
                    explain: true, reveal: false,
                });
                prop_assert_eq!(shared.ask(view).is_ok(), expected, "view {} at {}", address, commit);
                let diff = Read::ViewDiff { address: address.clone(), from: as_of, to: None };
                let to = current.is_live();
                prop_assert_eq!(shared.ask(diff).is_ok(), expected && to, "{} at {}", address, commit);
            }

            let (limit, before) = (200, None);
            let listed = match shared.ask(Read::History { address: address.clone(), before, limit }) {
                Ok(Reply::History { items, next: None }) => items,
                Ok(other) => { prop_assert!(false, "{:?}", other); continue }
                Err(_) => Vec::new(),
            };
            let versions: Vec<u64> = listed.iter().rev().map(|item| item.version.version).collect();
            prop_assert_eq!(&versions, &visible, "{}", address);
            for item in &listed {
                let before = item.version.seq as usize - 1;
                let is_first = item.version.version == 1;
                prop_assert!(
                    item.patch.is_none() || is_first || shared.stood(&address, before),
                    "{} {:?}", address, item);
            }
            for from in 1..=current.version {
                for to in 1..=current.version {
                    let diff = Read::Diff { address: address.clone(), from, to: Some(to) };
                    let expected = visible.contains(&from) && visible.contains(&to);
                    prop_assert_eq!(shared.ask(diff).is_ok(), expected, "{} {}..{}", address, from, to);
                }
                let edits = vec![Edit::Rollback {
                    address: address.clone(), version: from, summary: None,
                    expect: Default::default(),
                }];
                let preview = Read::Preview { address: address.clone(), edits };
                if shared.ask(preview).is_ok() {
                    prop_assert!(visible.contains(&from), "rolled {} back to {}", address, from);
                }
            }
            for kind in [EntryKind::Insight, EntryKind::Progress] {
                let entries = Read::Entries {
                    address: address.clone(), kind, before: None, limit, reveal: false,
                };
                let mut expected: Vec<u64> = Vec::new();
                if enters {
                    let all = shared.world.store.entries(&address, kind, None, limit).unwrap();
                    // Those from before it was created again are shown to nobody.
                    let own = all.iter().filter(|entry| entry.at >= current.created_at);
                    let seen = own.filter(|e| shared.stood(&address, e.id.seq as usize));
                    expected.extend(seen.map(|entry| entry.id.seq));
                }
                let shown: Vec<u64> = match shared.ask(entries) {
                    Ok(Reply::Entries { items, .. }) => items.iter().map(|e| e.id.seq).collect(),
                    Ok(other) => { prop_assert!(false, "{:?}", other); continue }
                    Err(_) => Vec::new(),
                };
                prop_assert_eq!(shown, expected, "{} {:?}", address, kind);
            }
        }
        let (filter, after, limit) = (Filter::default(), None, 200);
        let list = Read::List { filter, after, limit, data: true, reveal: false };
        let Ok(Reply::Contexts { items, .. }) = shared.ask(list) else {
            return Err(TestCaseError::fail("a list"));
        };
        let listed: Vec<Address> = items.iter().map(|item| item.shown.address.clone()).collect();
        let standing = shared.after[newest].keys().filter(|address| shared.stood(address, newest));
        prop_assert_eq!(listed, standing.cloned().collect::<Vec<_>>());
    }
}

fn edit(action: &str) -> Edit {
    use nacre_core::{json, op::Op, wire::operation};
    let item = operation::item(json::read(action.as_bytes(), 64).unwrap()).unwrap();
    match item.op {
        Op::Edit(edit) => edit,
        Op::Read(_) => panic!("an edit"),
    }
}

/// Project `p0`, shared with bob after it was edited once, with a branch that came from elsewhere.
fn shared(terms: Terms) -> World {
    let mut world = World::empty();
    for action in [
        r#"{"action":"put","level":"global","context_id":"global","data":{"house":1}}"#,
        r#"{"action":"put","level":"project","context_id":"p0","data":{"old":1}}"#,
        r#"{"action":"put","level":"project","context_id":"p1","data":{}}"#,
        r#"{"action":"put","level":"branch","context_id":"b0","parent":"p1","data":{"mine":1}}"#,
        r#"{"action":"put","level":"branch","context_id":"b0","data":{"ours":1}}"#,
        r#"{"action":"move","level":"branch","context_id":"b0","parent":"p0"}"#,
    ] {
        world.run(edit(action)).unwrap();
    }
    let (bob, project) = (User::parse("bob").unwrap(), ContextId::parse("p0").unwrap());
    world.run(Administration::PutMember { user: bob, project, terms }).unwrap();
    world
}

#[test]
fn a_conflict_shows_no_base_that_the_guest_may_not_see() {
    let mut world = shared(Role::Writer.into());
    for version in [1, 2] {
        let stale = format!(
            r#"{{"action":"update","level":"branch","context_id":"b0","patch":{{"ours":2}},
                "expect_version":{version}}}"#
        );
        let error = world.run_as("bob", "contexts:read contexts:write", edit(&stale)).unwrap_err();
        let conflicts = error.conflict_list().unwrap_or_default();
        assert!(conflicts.iter().all(|conflict| conflict.base.is_none()), "{conflicts:?}");
        let text = format!("{error:?}");
        assert!(!text.contains("mine"), "{text}");
    }
}

#[test]
fn without_the_global_layer_a_guests_views_begin_at_the_project() {
    for (global, begins) in [(true, Level::Global), (false, Level::Project)] {
        let mut world = shared(Terms { global, ..Role::Reader.into() });
        let view = Read::Resolve(Resolve {
            address: address(Level::Branch, "b0"),
            path: None,
            as_of: None,
            explain: true,
            reveal: false,
        });
        let Ok(Reply::View(view)) = world.run_as("bob", "contexts:read", view) else {
            panic!("a view")
        };
        assert_eq!(view.chain[0].address.level, begins);
        let text = String::from_utf8(view.view.text.clone()).unwrap();
        assert_eq!(text.contains("house"), global, "{text}");
    }
}

#[test]
fn a_scope_alone_reveals_nothing_of_another_user() {
    for reveal in [false, true] {
        let mut world = shared(Terms { reveal, ..Role::Reader.into() });
        world
            .run(edit(
                r#"{"action":"update","level":"branch","context_id":"b0",
                    "patch":{"api_key":"sk-1"}}"#,
            ))
            .unwrap();
        let read = Read::Get {
            address: address(Level::Branch, "b0"),
            which: Which::Current,
            reveal: true,
        };
        let got = world.run_as("bob", "contexts:read secrets:reveal", read);
        match got {
            Ok(Reply::Context(context)) => {
                assert!(reveal && format!("{:?}", context.revealed).contains("sk-1"));
            }
            other => assert!(!reveal && other.is_err(), "{other:?}"),
        }
    }
}
