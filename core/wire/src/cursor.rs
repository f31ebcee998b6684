//! Cursors: the place where a list continues, opaque to clients.
//!
//! A cursor is unpadded base64url of a short text that starts with its format and its list. It is
//! not secret and not signed: whatever it contains, callers see only what they may see.

use alloc::{
    format,
    string::{String, ToString},
    vec,
};

use base64ct::{Base64UrlUnpadded, Encoding};

use nacre_layers::{
    address::Address,
    error::{Code, Error, Result},
};
use nacre_store::record::EntryId;

/// Longest cursor, in bytes: that of a search names each item of a page.
const BYTES: usize = 2048;

/// Makes and reads cursors.
#[derive(Debug)]
pub struct Cursor;

impl Cursor {
    /// After this context.
    pub fn list(after: &Address) -> String {
        encode("l", &after.to_string())
    }

    /// Before this version.
    pub fn history(before: u64) -> String {
        encode("h", &before.to_string())
    }

    /// Before this entry.
    pub fn entry(before: EntryId) -> String {
        encode("e", &format!("{}-{}", before.seq, before.n))
    }

    /// Before this promotion.
    pub fn promotion(before: EntryId) -> String {
        encode("p", &format!("{}-{}", before.seq, before.n))
    }

    /// Before this commit.
    pub fn audit(before: u64) -> String {
        encode("a", &before.to_string())
    }

    /// After what a search says of its last item.
    pub fn search(after: &str) -> String {
        encode("s", after)
    }

    /// Reads a list's cursor.
    ///
    /// # Errors
    /// `invalid-request` for any text that is not from [`Cursor::list`].
    pub fn read_list(text: &str) -> Result<Address> {
        decode("l", text, |place| {
            let (level, id) = place.split_once('/')?;
            Address::parse(level, id).ok()
        })
    }

    /// Reads a history's cursor.
    ///
    /// # Errors
    /// `invalid-request` for any text that is not from [`Cursor::history`].
    pub fn read_history(text: &str) -> Result<u64> {
        decode("h", text, number)
    }

    /// Reads an entry list's cursor.
    ///
    /// # Errors
    /// `invalid-request` for any text that is not from [`Cursor::entry`].
    pub fn read_entry(text: &str) -> Result<EntryId> {
        decode("e", text, entry_id)
    }

    /// Reads the cursor of a list of promotions.
    ///
    /// # Errors
    /// `invalid-request` for any text that is not from [`Cursor::promotion`].
    pub fn read_promotion(text: &str) -> Result<EntryId> {
        decode("p", text, entry_id)
    }

    /// Reads an audit trail's cursor.
    ///
    /// # Errors
    /// `invalid-request` for any text that is not from [`Cursor::audit`].
    pub fn read_audit(text: &str) -> Result<u64> {
        decode("a", text, number)
    }

    /// Reads a search's cursor by `read`, which gives `None` for what is not of the same search.
    ///
    /// # Errors
    /// `invalid-request` for any text that is not from [`Cursor::search`], or that `read` refuses.
    pub fn read_search<T>(text: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        decode("s", text, read)
    }

    /// Refuses a cursor that no page of the list gave.
    pub fn of_another_list() -> Error {
        let detail = "this cursor does not belong to this list; start again without a cursor";
        Error::new(Code::InvalidRequest, detail)
    }
}

fn encode(list: &str, place: &str) -> String {
    Base64UrlUnpadded::encode_string(format!("1{list}{place}").as_bytes())
}

fn decode<T>(list: &str, text: &str, read: impl FnOnce(&str) -> Option<T>) -> Result<T> {
    let place = || {
        let mut bytes = vec![0; text.len().min(BYTES)];
        let bytes = Base64UrlUnpadded::decode(text, &mut bytes).ok()?;
        let place = core::str::from_utf8(bytes).ok()?;
        read(place.strip_prefix('1')?.strip_prefix(list)?)
    };
    place().ok_or_else(Cursor::of_another_list)
}

fn entry_id(place: &str) -> Option<EntryId> {
    let (seq, n) = place.split_once('-')?;
    Some(EntryId { seq: number(seq)?, n: number(n)? })
}

/// Reads a number in the form of `encode`: no sign, no leading zero, and exact in every store.
fn number(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text && number <= nacre_store::limits::EXACT_INTEGER).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_as_they_were_given() {
        let address = Address::parse("task", &"~".repeat(128)).unwrap();
        assert_eq!(Cursor::read_list(&Cursor::list(&address)), Ok(address));
        assert_eq!(Cursor::read_history(&Cursor::history(3)), Ok(3));
        assert_eq!(Cursor::read_audit(&Cursor::audit(1 << 52)), Ok(1 << 52));
        let entry = EntryId { seq: 9, n: 499 };
        assert_eq!(Cursor::read_entry(&Cursor::entry(entry)), Ok(entry));
        assert_eq!(Cursor::read_promotion(&Cursor::promotion(entry)), Ok(entry));
        assert!(Cursor::read_promotion(&Cursor::entry(entry)).is_err());
    }

    #[test]
    fn anything_else_is_refused() {
        let encoded = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
        for other in [
            "",
            "!",
            "MWwx=",
            &Cursor::history(3),
            &encoded("1lplanet/x"),
            &encoded("1lglobal/other"),
            &encoded("2ltask/x"),
            &encoded(&"1".repeat(5000)),
        ] {
            let error = Cursor::read_list(other).unwrap_err();
            assert_eq!(error.code(), Code::InvalidRequest, "{other}");
        }
        for other in ["1h03", "1h+3", "1h", "1h-1", "1h9007199254740992"] {
            assert!(Cursor::read_history(&encoded(other)).is_err(), "{other}");
        }
    }
}
