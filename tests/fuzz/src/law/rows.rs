//! Stored bytes: whatever they are, decoding gives a row or `store-unavailable`, and a row is
//! written as what it was read from.

use std::fmt::Debug;

use nacre_core::{
    address::Address,
    error::{Code, Result},
    id::{ContextId, User},
    marker::Fingerprint,
    moment::Moment,
    record::{Audit, Entry, EntryId, EntryKind, Member, Record, Replay, Version},
    row::{
        AuditColumns, ContextColumns, EntryColumns, MemberColumns, ReplayColumns, Row,
        VersionColumns,
    },
    seal::{MasterKeyring, RowIdentity, WrappedKey, open_row, open_secret},
    wire::Answer,
};

/// The first byte says which table the others are from.
pub fn rows(bytes: &[u8]) {
    let Some((table, plain)) = bytes.split_first() else { return };
    let (address, at) = (task(), Moment(1));
    match table % 9 {
        0 => decoded::<Record>(
            || ContextColumns {
                address: task(),
                parent: ContextId::parse("b").ok(),
                updated_at: at,
                deleted: None,
            },
            plain,
        ),
        1 => {
            decoded::<Version>(|| VersionColumns { address: task(), version: 2, seq: 3, at }, plain)
        }
        2 => decoded::<Entry>(
            || EntryColumns {
                address: task(),
                kind: EntryKind::Insight,
                id: EntryId { seq: 1, n: 0 },
                at,
            },
            plain,
        ),
        3 => decoded::<Member>(
            || MemberColumns {
                project: ContextId::parse("p").expect("an id"),
                user: User::parse("bob").expect("a user"),
            },
            plain,
        ),
        4 => {
            // The id is computed from what is inside; only the right one is accepted.
            let id = ReplayColumns::id_of(&User::parse("bob").expect("a user"), "key");
            decoded::<Replay>(|| ReplayColumns { id, expires: at }, plain);
        }
        5 => decoded::<Audit>(|| AuditColumns { seq: 1, at }, plain),
        6 => {
            if let Ok(answer) = Answer::from_bytes(plain) {
                let again = Answer::from_bytes(&answer.to_bytes());
                assert_eq!(again.as_ref(), Ok(&answer));
            }
        }
        7 => {
            let ring = crate::world::ring();
            let row = RowIdentity::new("contexts").text(&String::from(&address));
            refused(open_row(&ring, &row, plain));
            let fingerprint = format!("f1.{}", "A".repeat(22)).parse().expect("a fingerprint");
            refused(open_secret(&ring, &fingerprint, plain));
            if let Ok(text) = std::str::from_utf8(plain)
                && let Ok(fingerprint) = text.parse::<Fingerprint>()
            {
                assert_eq!(fingerprint.to_string(), text);
            }
        }
        _ => {
            if let Ok(key) = WrappedKey::from_bytes(plain.to_vec()) {
                assert_eq!(key.as_bytes(), plain);
            }
            if let Ok(text) = std::str::from_utf8(plain) {
                let _ = MasterKeyring::parse(text);
            }
        }
    }
}

fn task() -> Address {
    Address::parse("task", "t").expect("an address")
}

fn decoded<R: Row + Debug + PartialEq>(columns: impl Fn() -> R::Columns, plain: &[u8]) {
    match R::decode(columns(), plain.to_vec()) {
        Ok(row) => {
            let again = row.encode().expect("what was a row is one again");
            assert_eq!(R::decode(columns(), again).as_ref(), Ok(&row));
        }
        Err(error) => assert_eq!(error.code(), Code::StoreUnavailable, "{error}"),
    }
}

fn refused<T>(outcome: Result<T>) {
    match outcome {
        Ok(_) => panic!("bytes out of thin air were authentic"),
        Err(error) => assert_eq!(error.code(), Code::StoreUnavailable, "{error}"),
    }
}
