//! Content hashes: a Merkle tree over canonical JSON, whose shape depends only on member names.
//!
//! Equal values have equal hashes, whatever layers they came from. The hash of a merged view is
//! computed from the hashes of unchanged parts of the layers. To keep that cheap for objects with
//! thousands of members, members are grouped (a Merkle search tree, Auvolat and Taïani, SRDS 2019):
//! in name order, a member whose name has [`rank`](crate::name::rank) ≥ 1 ends a group of level 0,
//! a rank ≥ 2 also ends a group of level 1, and so on.
//!
//! ```text
//! value   := scalar or sealed value's marker: its canonical text · container: 0x01 hash
//! member  := "name": value 0x00          item := value 0x00
//! group 0 := H(0x10 member*)             group n := H(0x10+n hash*)
//! object  := H(0x02 top member* | hash*) what the highest level holds
//! array   := H(0x03 item*)               H := BLAKE3, 256 bit
//! ```
//! No byte below 0x20 occurs in canonical text, so the encoding is unambiguous.

use alloc::vec::Vec;
use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding as _};

/// A 256-bit content hash. Its text form is 43 characters of unpadded base64url.
///
/// ```
/// use nacre_layers::hash::Hash;
///
/// let hash = Hash::of(b"abc");
/// assert_eq!(hash.to_string().len(), 43);
/// assert_eq!(Hash::from_bytes(*hash.as_bytes()), hash);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

/// Length of a hash's text form: 256 bits, six a character.
const TEXT_LENGTH: usize = 43;

impl Hash {
    pub(crate) const ZERO: Hash = Hash([0; 32]);

    /// Makes a hash of its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Hash {
        Hash(bytes)
    }

    /// The 32 bytes of the hash.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Hashes plain bytes, for the identity of requests.
    pub fn of(bytes: &[u8]) -> Hash {
        Hash(*blake3::hash(bytes).as_bytes())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; TEXT_LENGTH];
        f.write_str(Base64UrlUnpadded::encode(&self.0, &mut text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A closed group of an object's hash tree: members `from..to` and their hash at `level`.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) level: u8,
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) hash: Hash,
}

const CONTAINER: u8 = 0x01;
const OBJECT: u8 = 0x02;
const ARRAY: u8 = 0x03;
const GROUP: u8 = 0x10;
const END: u8 = 0x00;
/// Levels of groups: names have ranks up to 7, so there are groups of levels 0 to 6 below the top.
const LEVELS: usize = 8;

/// Hashers for reuse, so that many small containers need no allocation each.
#[derive(Default)]
pub(crate) struct Hashers {
    objects: Vec<ObjectHasher>,
    arrays: Vec<ArrayHasher>,
}

impl Hashers {
    pub(crate) fn object(&mut self) -> ObjectHasher {
        self.objects.pop().unwrap_or_else(|| {
            let mut members = Vec::with_capacity(1024);
            members.push(GROUP);
            let levels = [const { Vec::new() }; LEVELS];
            ObjectHasher { members, levels, starts: [0; LEVELS], top: 0 }
        })
    }

    pub(crate) fn array(&mut self) -> ArrayHasher {
        self.arrays.pop().unwrap_or_else(|| {
            let mut items = Vec::with_capacity(1024);
            items.push(ARRAY);
            ArrayHasher { items }
        })
    }
}

fn digest(bytes: &[u8]) -> Hash {
    Hash(*blake3::hash(bytes).as_bytes())
}

/// Hashes one object, member by member or group by group, in name order.
pub(crate) struct ObjectHasher {
    /// The open group of level 0: a tag, then members.
    members: Vec<u8>,
    /// `levels[n]`, n ≥ 1: the open group of level n: hashes of groups of level n - 1.
    levels: [HashList; LEVELS],
    /// The member position at which the open group of each level began.
    starts: [u32; LEVELS],
    /// The highest level that has anything.
    top: usize,
}

/// Hashes, one after the other, behind room for two tags; nothing at all while there is none.
type HashList = Vec<u8>;

impl ObjectHasher {
    /// Begins a member: the name as canonical text with quotes and colon.
    #[inline]
    pub(crate) fn name(&mut self, name: &[u8]) {
        self.members.extend_from_slice(name);
    }

    #[inline]
    pub(crate) fn scalar(&mut self, text: &[u8]) {
        self.members.extend_from_slice(text);
    }

    #[inline]
    pub(crate) fn container(&mut self, hash: &Hash) {
        self.members.push(CONTAINER);
        self.members.extend_from_slice(&hash.0);
    }

    /// Ends a member; `position` members have been seen by now, and groups that close here are
    /// noted in `closed`.
    #[inline]
    pub(crate) fn end_member(&mut self, rank: u8, position: u32, closed: Option<&mut Vec<Group>>) {
        self.members.push(END);
        if rank > 0 {
            let hash = digest(&self.members);
            self.members.truncate(1);
            self.close(0, rank, hash, position, closed);
        }
    }

    /// Whether the next member begins a group of level 0.
    #[inline]
    pub(crate) fn is_between(&self) -> bool {
        self.members.len() == 1
    }

    /// Whether the next group of level `level` - 1 begins a group of `level`.
    #[inline]
    pub(crate) fn is_between_at(&self, level: u8) -> bool {
        self.levels.get(usize::from(level)).is_none_or(Vec::is_empty)
    }

    /// Adds a closed group of `level`, whose last member has `rank`.
    pub(crate) fn group(&mut self, level: u8, hash: Hash, rank: u8) {
        self.close(usize::from(level), rank, hash, 0, None);
    }

    /// Passes a complete group of `level` with `hash` to the level above, and closes the groups
    /// that `rank` closes.
    fn close(
        &mut self,
        level: usize,
        rank: u8,
        hash: Hash,
        position: u32,
        mut closed: Option<&mut Vec<Group>>,
    ) {
        let mut hash = hash;
        for level in level..usize::from(rank) {
            if let (Some(closed), Some(start)) = (closed.as_deref_mut(), self.starts.get_mut(level))
            {
                closed.push(Group { level: level as u8, from: *start, to: position, hash });
                *start = position;
            }
            let up = level + 1;
            let Some(list) = self.levels.get_mut(up) else { return };
            push(list, &hash);
            self.top = self.top.max(up);
            if up < usize::from(rank) {
                hash = group(up, list);
                list.clear();
            }
        }
    }

    pub(crate) fn finish(mut self, hashers: &mut Hashers) -> Hash {
        let hash = if self.top == 0 {
            if let Some(tag) = self.members.first_mut() {
                *tag = OBJECT;
            }
            digest(&self.members)
        } else {
            let mut pending = (!self.is_between()).then(|| digest(&self.members));
            let mut hash = Hash::ZERO;
            for (level, list) in self.levels.iter_mut().enumerate().skip(1).take(self.top) {
                if let Some(hash) = pending.take() {
                    push(list, &hash);
                }
                if level == self.top {
                    if let Some([object, top]) = list.first_chunk_mut() {
                        (*object, *top) = (OBJECT, level as u8);
                    }
                    hash = digest(list);
                } else if !list.is_empty() {
                    pending = Some(group(level, list));
                }
                list.clear();
            }
            hash
        };
        self.members.clear();
        self.members.push(GROUP);
        self.starts = [0; LEVELS];
        self.top = 0;
        hashers.objects.push(self);
        hash
    }
}

fn push(list: &mut HashList, hash: &Hash) {
    if list.is_empty() {
        list.extend_from_slice(&[0; 2]);
    }
    list.extend_from_slice(&hash.0);
}

/// The hash of a group of `level`.
fn group(level: usize, list: &mut HashList) -> Hash {
    let Some((_, tagged)) = list.split_first_mut() else { return Hash::ZERO };
    if let Some(tag) = tagged.first_mut() {
        *tag = GROUP + level as u8;
    }
    digest(tagged)
}

/// Hashes one array, item by item.
pub(crate) struct ArrayHasher {
    items: Vec<u8>,
}

impl ArrayHasher {
    #[inline]
    pub(crate) fn scalar(&mut self, text: &[u8]) {
        self.items.extend_from_slice(text);
    }

    #[inline]
    pub(crate) fn container(&mut self, hash: &Hash) {
        self.items.push(CONTAINER);
        self.items.extend_from_slice(&hash.0);
    }

    #[inline]
    pub(crate) fn end_item(&mut self) {
        self.items.push(END);
    }

    pub(crate) fn finish(mut self, hashers: &mut Hashers) -> Hash {
        let hash = digest(&self.items);
        self.items.truncate(1);
        hashers.arrays.push(self);
        hash
    }
}
