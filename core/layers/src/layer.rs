//! A stored layer: canonical JSON text with an index of its subtrees and their content hashes.
//!
//! The text is stored, and answers are spliced from it. The index holds the start and end of every
//! member of every object, which members are tombstones, and the hash of each subtree. It is built
//! in one pass when a layer is read or written, and kept in memory with the text.
//!
//! ```text
//! {"a":{"x":1},"b":null,"c":[1,2]}      text
//! └─ object ─ members a b c             sorted, so that layers are walked side by side
//!      │      tombs: b                  runs between tombstones are copied in one piece
//!      ├─ object ─ members x            hash over children's hashes (see `hash`)
//!      └─ array  ─ items 1 2
//! ```

use alloc::{string::String, vec::Vec};
use core::{cmp::Ordering, ops::Range};

use crate::{
    error::{Code, Error, Result},
    hash::{Group, Hash, Hashers},
    json, limits,
    name::{self, Key, Name},
    pointer::Pointer,
    sort::sort_by,
    value::{SEALED, Value},
};

/// Canonical JSON text, indexed. The root is always an object.
///
/// ```
/// use nacre_layers::{json, layer::Layer, pointer::Pointer};
///
/// let layer = Layer::from_value(&json::read(br#"{"b":{"c":1},"a":null}"#, 64)?)?;
/// assert_eq!(layer.text(), br#"{"a":null,"b":{"c":1}}"#);
/// assert_eq!(layer.get(&Pointer::parse("/b")?), Some(&br#"{"c":1}"#[..]));
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
#[derive(Clone)]
pub struct Layer {
    text: Vec<u8>,
    members: Vec<Member>,
    containers: Vec<Container>,
    /// For every object, the positions of members that are or contain a tombstone.
    tombs: Vec<u32>,
    groups: Vec<Group>,
    root: u32,
}

/// One member of an object, or one item of an array (then the name is empty).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    /// The name's first bytes (see [`name::head`]).
    head: u64,
    name: u32,
    value: u32,
    end: u32,
    content: Content,
    /// The rank of the name in its object's hash tree (see [`name::rank`]).
    pub(crate) rank: u8,
}

/// The kind of a member's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// `null`: in an object of a layer, a tombstone.
    Null,
    /// A boolean, number or string, or the marker of a sealed value.
    Scalar,
    /// An array.
    Array(u32),
    /// An object.
    Object(u32),
}

/// An object or array: a range of members, with its hash.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    first: u32,
    len: u32,
    tombs: Range<u32>,
    groups: Range<u32>,
    /// Whether all names compare like their bytes: no escapes, nothing above U+DFFF.
    pub(crate) plain: bool,
    pub(crate) hash: Hash,
}

impl Layer {
    /// A placeholder where a chain has no layer; never walked.
    pub(crate) const NOTHING: Layer = Layer {
        text: Vec::new(),
        members: Vec::new(),
        containers: Vec::new(),
        tombs: Vec::new(),
        groups: Vec::new(),
        root: 0,
    };

    /// An empty object.
    pub fn empty() -> Layer {
        let mut hashers = Hashers::default();
        Layer {
            text: b"{}".to_vec(),
            members: Vec::new(),
            containers: alloc::vec![Container {
                first: 0,
                len: 0,
                tombs: 0..0,
                groups: 0..0,
                plain: true,
                hash: hashers.object().finish(&mut hashers),
            }],
            tombs: Vec::new(),
            groups: Vec::new(),
            root: 0,
        }
    }

    /// Writes a value in canonical form and indexes it.
    ///
    /// # Errors
    /// `invalid-request` if the value is not an object, or is a sealed value; `too-deep` past
    /// [`limits::DEPTH`].
    pub fn from_value(value: &Value) -> Result<Layer> {
        if value.as_object().is_none() || value.sealed().is_some() {
            return Err(Error::new(
                Code::InvalidRequest,
                "the data of a context must be an object",
            )
            .at(""));
        }
        Layer::from_canonical(json::write(value))
    }

    /// Indexes text from [`json::write`]. Structure and order of names are checked; the form of
    /// numbers and strings is not.
    ///
    /// # Errors
    /// `internal` if the text is not the canonical JSON of an object, `too-deep` past
    /// [`limits::DEPTH`].
    pub fn from_canonical(text: Vec<u8>) -> Result<Layer> {
        if core::str::from_utf8(&text).is_err() || u32::try_from(text.len()).is_err() {
            return Err(not_canonical());
        }
        let mut scan = Scan {
            text: &text,
            at: 0,
            members: Vec::with_capacity(text.len() / 24),
            containers: Vec::new(),
            tombs: Vec::new(),
            groups: Vec::new(),
            open: Vec::new(),
            hashers: Hashers::default(),
        };
        let (content, _) = scan.value(0)?;
        let (Content::Object(root), true) = (content, scan.at == text.len()) else {
            return Err(not_canonical());
        };
        let Scan { members, containers, tombs, groups, .. } = scan;
        Ok(Layer { text, members, containers, tombs, groups, root })
    }

    /// The canonical text.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Parses the text into a value, for editing.
    ///
    /// # Errors
    /// None for a layer from this module; otherwise the reader's errors.
    pub fn to_value(&self) -> Result<Value> {
        json::read(&self.text, limits::DEPTH)
    }

    /// The Merkle hash of the whole layer, tombstones included.
    ///
    /// ```
    /// use nacre_layers::{json, layer::Layer};
    ///
    /// let layer = |text: &str| Layer::from_value(&json::read(text.as_bytes(), 64)?);
    /// assert_eq!(layer(r#"{"a":1,"b":2}"#)?.hash(), layer(r#"{"b":2,"a":1}"#)?.hash());
    /// # Ok::<(), nacre_layers::error::Error>(())
    /// ```
    pub fn hash(&self) -> Hash {
        self.container(self.root).hash
    }

    /// Memory of the text and the index, in bytes.
    pub fn memory(&self) -> usize {
        self.text.len()
            + self.members.len() * size_of::<Member>()
            + self.containers.len() * size_of::<Container>()
            + self.tombs.len() * size_of::<u32>()
            + self.groups.len() * size_of::<Group>()
    }

    /// The canonical text of the value at a pointer; `None` if there is none.
    pub fn get(&self, pointer: &Pointer) -> Option<&[u8]> {
        self.find_at(pointer).map(|(_, text)| text)
    }

    /// The names of the members of the object at a pointer; `None` if no object is there. A sealed value
    /// is none.
    pub fn names_at<'l>(
        &'l self,
        pointer: &Pointer,
    ) -> Option<impl Iterator<Item = String> + use<'l>> {
        match self.find_at(pointer)? {
            (Content::Object(id), _) => {
                let members = self.members(self.container(id)).iter();
                Some(members.map(|member| name::decode(self.name(member))))
            }
            _ => None,
        }
    }

    fn find_at(&self, pointer: &Pointer) -> Option<(Content, &[u8])> {
        let mut content = Content::Object(self.root);
        let mut found = self.text();
        for token in pointer.tokens() {
            let member = match content {
                Content::Object(id) => {
                    let name = Name::encode(&token);
                    self.find(self.container(id), &name)?
                }
                Content::Array(id) => {
                    let index = crate::pointer::index(&token)?;
                    self.members(self.container(id)).get(index)?
                }
                Content::Null | Content::Scalar => return None,
            };
            content = member.content;
            found = self.value_text(member);
        }
        Some((content, found))
    }

    /// The value a pointer leads to; `None` when it leads nowhere.
    ///
    /// # Errors
    /// As [`Layer::to_value`].
    pub fn value_at(&self, pointer: &Pointer) -> Result<Option<Value>> {
        self.get(pointer).map(|text| json::read(text, limits::DEPTH)).transpose()
    }

    pub(crate) fn root(&self) -> u32 {
        self.root
    }

    // The accessors below are on the hot path of every merge, and must be inlined even where the
    // build is optimised for size. Offsets and ids come from `Scan`, which took them from the same
    // vectors, so the fallbacks are never reached; they cost no more than the bounds check they
    // replace.

    #[inline(always)]
    pub(crate) fn container(&self, id: u32) -> &Container {
        self.containers.get(id as usize).unwrap_or(&EMPTY)
    }

    #[inline(always)]
    pub(crate) fn members(&self, of: &Container) -> &[Member] {
        self.members.get(of.first as usize..(of.first + of.len) as usize).unwrap_or(&[])
    }

    #[inline(always)]
    pub(crate) fn tombs(&self, of: &Container) -> &[u32] {
        self.tombs.get(of.tombs.start as usize..of.tombs.end as usize).unwrap_or(&[])
    }

    #[inline(always)]
    pub(crate) fn groups(&self, of: &Container) -> &[Group] {
        self.groups.get(of.groups.start as usize..of.groups.end as usize).unwrap_or(&[])
    }

    #[inline(always)]
    pub(crate) fn slice(&self, from: u32, to: u32) -> &[u8] {
        self.text.get(from as usize..to as usize).unwrap_or(&[])
    }

    /// A member's name as canonical text, without the quotes.
    #[inline(always)]
    pub(crate) fn name(&self, member: &Member) -> &[u8] {
        self.slice(member.name + 1, member.value.saturating_sub(2))
    }

    /// A member's name, for comparing.
    #[inline(always)]
    pub(crate) fn key<'l>(&'l self, member: &Member) -> Key<'l> {
        Key { head: member.head, text: self.name(member) }
    }

    /// A member's name as canonical text, with quotes and colon.
    #[inline(always)]
    pub(crate) fn name_text(&self, member: &Member) -> &[u8] {
        self.slice(member.name, member.value)
    }

    /// A member as canonical text, name and value.
    #[inline(always)]
    pub(crate) fn member_text(&self, member: &Member) -> &[u8] {
        self.slice(member.name, member.end)
    }

    /// A member's value as canonical text.
    #[inline(always)]
    pub(crate) fn value_text(&self, member: &Member) -> &[u8] {
        self.slice(member.value, member.end)
    }

    /// The range of members `from..to` in the text, with the commas between them.
    #[inline(always)]
    pub(crate) fn run(&self, of: &Container, from: usize, to: usize) -> Range<u32> {
        let members = self.members(of);
        match (members.get(from), to.checked_sub(1).and_then(|last| members.get(last))) {
            (Some(first), Some(last)) if from < to => first.name..last.end,
            _ => 0..0,
        }
    }

    pub(crate) fn find(&self, of: &Container, wanted: &Name) -> Option<&Member> {
        self.find_key(of, &wanted.key(), wanted.plain)
    }

    /// As [`Self::find`]; `plain` says whether the wanted name is plain.
    pub(crate) fn find_key(
        &self,
        of: &Container,
        wanted: &Key<'_>,
        plain: bool,
    ) -> Option<&Member> {
        let plain = of.plain && plain;
        let members = self.members(of);
        let at = members.binary_search_by(|member| self.key(member).compare(wanted, plain)).ok()?;
        members.get(at)
    }
}

impl PartialEq for Layer {
    fn eq(&self, other: &Layer) -> bool {
        self.text == other.text
    }
}

impl core::fmt::Debug for Layer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // Layers hold users' data, so the debug text shows only sizes.
        write!(f, "Layer({} bytes, {})", self.text.len(), self.hash())
    }
}

impl Member {
    #[inline(always)]
    pub(crate) fn content(&self) -> Content {
        self.content
    }

    /// The range of name and value in the layer's text.
    #[inline(always)]
    pub(crate) fn entry(&self) -> Range<u32> {
        self.name..self.end
    }

    /// The range of the name, with quotes and colon.
    #[inline(always)]
    pub(crate) fn opening(&self) -> Range<u32> {
        self.name..self.value
    }

    /// The range of the value.
    #[inline(always)]
    pub(crate) fn span(&self) -> Range<u32> {
        self.value..self.end
    }
}

impl Container {
    /// The number of members or items.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    #[inline(always)]
    pub(crate) fn has_tombs(&self) -> bool {
        !self.tombs.is_empty()
    }
}

static EMPTY: Container =
    Container { first: 0, len: 0, tombs: 0..0, groups: 0..0, plain: true, hash: Hash::ZERO };

fn not_canonical() -> Error {
    Error::bug("the text of a layer must be canonical JSON")
}

/// One pass over the text. Members of open containers wait in `open` until their container closes,
/// so that its members end up side by side.
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    members: Vec<Member>,
    containers: Vec<Container>,
    tombs: Vec<u32>,
    groups: Vec<Group>,
    open: Vec<Member>,
    hashers: Hashers,
}

impl Scan<'_> {
    /// Reads one value. Returns its kind, and whether it contains a tombstone.
    fn value(&mut self, depth: usize) -> Result<(Content, bool)> {
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(|()| (Content::Scalar, false)),
            Some(b'n') => {
                self.literal();
                Ok((Content::Null, false))
            }
            Some(b't' | b'f' | b'-' | b'0'..=b'9') => {
                self.literal();
                Ok((Content::Scalar, false))
            }
            _ => Err(not_canonical()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(Content, bool)> {
        let base = self.enter(depth)?;
        let mut tombs = Vec::new();
        let mut plain = true;
        let mut previous: Option<(usize, usize)> = None;
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                let name = self.at;
                if self.peek() != Some(b'"') {
                    return Err(not_canonical());
                }
                self.string()?;
                let text = self.text.get(name + 1..self.at - 1).unwrap_or(&[]);
                plain &= name::is_plain(text);
                if let Some((from, to)) = previous {
                    let before = self.text.get(from..to).unwrap_or(&[]);
                    if name::compare(before, text, plain) != Ordering::Less {
                        return Err(not_canonical());
                    }
                }
                previous = Some((name + 1, self.at - 1));
                let rank = name::rank(text);
                let head = name::head(text);
                self.expect(b':')?;
                let value = self.at;
                let (content, holds_tomb) = self.value(depth + 1)?;
                if holds_tomb || content == Content::Null {
                    tombs.push((self.open.len() - base) as u32);
                }
                self.open.push(Member {
                    head,
                    name: name as u32,
                    value: value as u32,
                    end: self.at as u32,
                    content,
                    rank,
                });
                if self.more(b'}')? {
                    break;
                }
            }
        }
        if self.is_marker(base) {
            self.open.truncate(base);
            return Ok((Content::Scalar, false));
        }
        // Nested objects have already added their members, so those of this container stay
        // together.
        let tombs_from = self.tombs.len() as u32;
        let holds_tomb = !tombs.is_empty();
        self.tombs.extend(tombs);
        let first = self.members.len() as u32;
        let groups_from = self.groups.len() as u32;
        let mut hasher = self.hashers.object();
        for (position, member) in self.open.iter().skip(base).enumerate() {
            let name = self.text.get(member.name as usize..member.value as usize).unwrap_or(&[]);
            let value = self.text.get(member.value as usize..member.end as usize).unwrap_or(&[]);
            hasher.name(name);
            match member.content {
                Content::Array(id) | Content::Object(id) => {
                    let hash = self.containers.get(id as usize).map_or(Hash::ZERO, |c| c.hash);
                    hasher.container(&hash);
                }
                Content::Null | Content::Scalar => hasher.scalar(value),
            }
            hasher.end_member(member.rank, position as u32 + 1, Some(&mut self.groups));
        }
        let hash = hasher.finish(&mut self.hashers);
        self.members.extend(self.open.drain(base..));
        // Groups are looked up by their start, smaller ones first.
        if let Some(own) = self.groups.get_mut(groups_from as usize..) {
            sort_by(own, |a, b| (a.from, a.level).cmp(&(b.from, b.level)));
        }
        let id = self.containers.len() as u32;
        self.containers.push(Container {
            first,
            len: self.members.len() as u32 - first,
            tombs: tombs_from..self.tombs.len() as u32,
            groups: groups_from..self.groups.len() as u32,
            plain,
            hash,
        });
        Ok((Content::Object(id), holds_tomb))
    }

    /// Arrays are replaced as a whole, so nulls inside them are values, not tombstones.
    fn array(&mut self, depth: usize) -> Result<(Content, bool)> {
        let base = self.enter(depth)?;
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                let value = self.at;
                let (content, _) = self.value(depth + 1)?;
                self.open.push(Member {
                    head: 0,
                    name: value as u32,
                    value: value as u32,
                    end: self.at as u32,
                    content,
                    rank: 0,
                });
                if self.more(b']')? {
                    break;
                }
            }
        }
        let first = self.members.len() as u32;
        let mut hasher = self.hashers.array();
        for member in self.open.iter().skip(base) {
            match member.content {
                Content::Array(id) | Content::Object(id) => {
                    let hash = self.containers.get(id as usize).map_or(Hash::ZERO, |c| c.hash);
                    hasher.container(&hash);
                }
                Content::Null | Content::Scalar => hasher.scalar(
                    self.text.get(member.value as usize..member.end as usize).unwrap_or(&[]),
                ),
            }
            hasher.end_item();
        }
        let hash = hasher.finish(&mut self.hashers);
        self.members.extend(self.open.drain(base..));
        let id = self.containers.len() as u32;
        self.containers.push(Container {
            first,
            len: self.members.len() as u32 - first,
            tombs: 0..0,
            groups: 0..0,
            plain: true,
            hash,
        });
        Ok((Content::Array(id), false))
    }

    /// Whether the open members are the marker of a sealed value, which counts as a scalar in every
    /// walk.
    fn is_marker(&self, base: usize) -> bool {
        let Some([only]) = self.open.get(base..) else { return false };
        let name = self.text.get(only.name as usize + 1..only.value as usize - 2);
        name == Some(SEALED.as_bytes()) && self.text.get(only.value as usize) == Some(&b'"')
    }

    fn enter(&mut self, depth: usize) -> Result<usize> {
        if depth >= limits::DEPTH {
            return Err(
                Error::new(Code::TooDeep, "data is nested too deeply").limit(limits::DEPTH as u64)
            );
        }
        self.at += 1;
        Ok(self.open.len())
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek() != Some(byte) {
            return Err(not_canonical());
        }
        self.at += 1;
        Ok(())
    }

    /// After a value: a comma (continue) or the closing bracket (done).
    fn more(&mut self, close: u8) -> Result<bool> {
        let byte = self.peek();
        self.at += 1;
        match byte {
            Some(b',') => Ok(false),
            Some(byte) if byte == close => Ok(true),
            _ => Err(not_canonical()),
        }
    }

    /// Skips a string, including both quotes.
    fn string(&mut self) -> Result<()> {
        let mut at = self.at + 1;
        loop {
            match self.text.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
                None => return Err(not_canonical()),
            }
        }
        self.at = at + 1;
        Ok(())
    }

    fn literal(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or(&[]);
        let len = rest.iter().position(|b| matches!(b, b',' | b'}' | b']')).unwrap_or(rest.len());
        self.at += len;
    }
}
