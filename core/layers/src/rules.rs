//! Merge rules: how each path merges, for a context and all layers below it.
//!
//! A context has a table from JSON Pointers to rules. For a chain, the tables are combined into one
//! tree, [`Scope`], which the merge walks together with the layers. A lower layer may set another
//! rule for itself and deeper layers, but it cannot lift a `lock`.

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

use crate::{
    error::{Code, Error, Result},
    layer::Content,
    level::LAYERS,
    limits,
    name::{self, Key, Name},
    pointer::Pointer,
    value::{Object, Value},
};

/// How a path merges between a layer and the layers above it.
///
/// ```
/// use nacre_layers::rules::Rule;
///
/// assert!(matches!(Rule::parse("keyed:id")?, Rule::Keyed(_)));
/// assert_eq!(Rule::parse("mix").unwrap_err().code().as_str(), "invalid-rules");
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The lower value replaces the upper one, also objects.
    Replace,
    /// Objects merge member by member. This is the default; as a rule it undoes a `replace` from
    /// above.
    Deep,
    /// Arrays: the upper items, then the lower items that are not among them, without duplicates.
    Union,
    /// Arrays: the upper items, then the lower items.
    Append,
    /// Arrays of objects merge by the named members: items that agree in all of them merge as objects
    /// do, the others follow. An item in which one is missing or null has no key. A null member of
    /// an item removes what it inherits.
    Keyed(Vec<String>),
    /// No lower layer may set or remove anything at or below the path.
    Lock,
}

impl Rule {
    /// Reads `replace`, `deep`, `union`, `append`, `keyed:<member>` or `lock`. Several members are
    /// separated by commas: `keyed:port,proto`.
    ///
    /// # Errors
    /// `invalid-rules` for any other text.
    pub fn parse(text: &str) -> Result<Rule> {
        Ok(match text {
            "replace" => Rule::Replace,
            "deep" => Rule::Deep,
            "union" => Rule::Union,
            "append" => Rule::Append,
            "lock" => Rule::Lock,
            _ => match text.strip_prefix("keyed:") {
                Some(members) if members.split(',').all(|member| !member.is_empty()) => {
                    Rule::Keyed(members.split(',').map(ToOwned::to_owned).collect())
                }
                _ => {
                    return Err(Error::new(
                        Code::InvalidRules,
                        "a rule must be one of replace, deep, union, append, keyed:<member>, lock",
                    ));
                }
            },
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::Replace => "replace",
            Rule::Deep => "deep",
            Rule::Union => "union",
            Rule::Append => "append",
            Rule::Keyed(members) => return write!(f, "keyed:{}", members.join(",")),
            Rule::Lock => "lock",
        })
    }
}

/// The rules of one context, by pointer.
///
/// ```
/// use nacre_layers::{json, rules::Rules, value::Value};
///
/// let Value::Object(table) = json::read(br#"{"/tags":"union","/policy":"lock"}"#, 64)? else {
///     unreachable!("it is an object")
/// };
/// let rules = Rules::from_object(&table)?;
/// assert_eq!(rules.len(), 2);
/// assert_eq!(rules.to_object(), table);
/// # Ok::<(), nacre_layers::error::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules(Vec<(Pointer, Rule)>);

impl Rules {
    pub(crate) const NONE: Rules = Rules(Vec::new());

    /// Reads the wire form: an object of JSON Pointers and rule names.
    ///
    /// # Errors
    /// `invalid-rules` with the pointer into `rules`: for a malformed pointer or rule, a rule that
    /// is not a string, or more than [`limits::RULES`] rules.
    pub fn from_object(rules: &Object) -> Result<Rules> {
        if rules.len() > limits::RULES {
            return Err(Error::new(Code::InvalidRules, "a context must have at most 256 rules")
                .limit(limits::RULES as u64));
        }
        let mut table = Vec::with_capacity(rules.len());
        for (place, rule) in rules.iter() {
            let name_it = |error: Error| {
                let mut at = Pointer::root();
                at.push(place);
                Error::new(Code::InvalidRules, error.detail().to_owned()).at(at.to_string())
            };
            let pointer = Pointer::parse(place).map_err(name_it)?;
            let Value::String(text) = rule else {
                return Err(name_it(Error::new(Code::InvalidRules, "a rule must be a string")));
            };
            table.push((pointer, Rule::parse(text).map_err(name_it)?));
        }
        Ok(Rules(table))
    }

    /// The rules as an object of JSON Pointers and rule names.
    pub fn to_object(&self) -> Object {
        let mut object = Object::default();
        for (pointer, rule) in &self.0 {
            object.insert(pointer.to_string(), Value::String(rule.to_string()));
        }
        object
    }

    /// Whether the table is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of rules.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The rules with their pointers, in canonical order of the pointers.
    pub fn iter(&self) -> impl Iterator<Item = (&Pointer, &Rule)> {
        self.0.iter().map(|(pointer, rule)| (pointer, rule))
    }
}

/// The rules of a whole chain at one path and below.
#[derive(Debug)]
pub struct Scope<'a> {
    pub(crate) name: Name,
    /// Sorted by name, as members are.
    pub(crate) children: Vec<Scope<'a>>,
    /// Every name in `children` is plain.
    pub(crate) plain: bool,
    /// The merge rule for each layer.
    rules: [Option<&'a Rule>; LAYERS],
    /// The uppermost layer that locks exactly this path.
    lock: Option<usize>,
    /// The uppermost layer that locks a path below this one.
    inner_lock: Option<usize>,
}

impl<'a> Scope<'a> {
    /// Combines the tables of a chain, global first; `None` if there are no rules.
    pub fn of_chain(tables: impl Iterator<Item = &'a Rules>) -> Option<Scope<'a>> {
        let mut root: Option<Scope<'a>> = None;
        for (layer, table) in tables.enumerate().take(LAYERS) {
            for (pointer, rule) in &table.0 {
                let mut at = root.get_or_insert_with(|| Scope::named(Name::encode("")));
                for token in pointer.tokens() {
                    if *rule == Rule::Lock {
                        at.inner_lock.get_or_insert(layer);
                    }
                    at = at.child_mut(Name::encode(&token));
                }
                if *rule == Rule::Lock {
                    at.lock.get_or_insert(layer);
                } else {
                    at.rules.iter_mut().skip(layer).for_each(|slot| *slot = Some(rule));
                }
            }
        }
        root
    }

    fn named(name: Name) -> Scope<'a> {
        Scope {
            name,
            children: Vec::new(),
            plain: true,
            rules: [None; LAYERS],
            lock: None,
            inner_lock: None,
        }
    }

    fn child_mut(&mut self, name: Name) -> &mut Scope<'a> {
        let place = self
            .children
            .binary_search_by(|child| name::compare(&child.name.text, &name.text, false));
        let at = match place {
            Ok(at) => at,
            Err(at) => {
                self.plain &= name.plain;
                self.children.insert(at, Scope::named(name));
                at
            }
        };
        #[expect(clippy::indexing_slicing, reason = "`at` was found or inserted just above")]
        &mut self.children[at]
    }

    /// The merge rule for `layer` at this path; `None` means the default.
    pub(crate) fn rule(&self, layer: usize) -> Option<&'a Rule> {
        self.rules.get(layer).copied().flatten()
    }

    /// The layer that set the rule for `layer`.
    pub(crate) fn source(&self, layer: usize) -> Option<usize> {
        let rule = self.rule(layer)?;
        self.rules.iter().position(|slot| slot.is_some_and(|other| core::ptr::eq(other, rule)))
    }

    /// The rules of a member; `plain` says whether its name is plain.
    pub(crate) fn child(&self, name: &Key<'_>, plain: bool) -> Option<&Scope<'a>> {
        let plain = plain && self.plain;
        let at =
            self.children.binary_search_by(|child| child.name.key().compare(name, plain)).ok()?;
        self.children.get(at)
    }

    /// The uppermost layer that locks exactly this path.
    pub(crate) fn lock(&self) -> Option<usize> {
        self.lock
    }

    /// Whether a layer above `layer` locks this path, or a path below it that the value of `layer`
    /// would replace.
    pub(crate) fn blocks(&self, layer: usize, content: Content) -> bool {
        let merges =
            matches!(content, Content::Object(_)) && self.rule(layer) != Some(&Rule::Replace);
        self.lock.is_some_and(|lock| lock < layer)
            || (!merges && self.inner_lock.is_some_and(|lock| lock < layer))
    }

    /// Whether exactly this path is locked.
    pub(crate) fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// The uppermost layer that locks this path or a path below it.
    pub(crate) fn locker(&self) -> Option<usize> {
        match (self.lock, self.inner_lock) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
