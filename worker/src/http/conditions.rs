//! Conditional requests (RFC 9110 §13): the meaning of `If-Match` and `If-None-Match`.

use nacre_core::{
    error::{Code, Error, Result},
    op::Expect,
};

use super::{
    Head,
    routes::{Conditions, Route},
};

/// The conditions of a read, to compare with the ETag of the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Validators {
    if_match: Option<String>,
    if_none_match: Option<String>,
}

/// The result of comparing the conditions with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Send the answer.
    Show,
    /// The client has the current answer: 304.
    Unchanged,
    /// The client expected another answer: 412.
    Failed,
}

impl Validators {
    pub(super) fn of(head: &Head<'_>) -> Validators {
        Validators {
            if_match: head.headers.get("if-match"),
            if_none_match: head.headers.get("if-none-match"),
        }
    }

    /// Compares the ETag of an answer with the conditions, in the order of RFC 9110 §13.2.2. Weak
    /// tags count as strong ones, see [`expect`].
    pub(super) fn judge(&self, etag: &str) -> Verdict {
        let holds = |list: &str| list.trim() == "*" || tags(list).any(|tag| tag.text == etag);
        if self.if_match.as_deref().is_some_and(|list| !holds(list)) {
            Verdict::Failed
        } else if self.if_none_match.as_deref().is_some_and(holds) {
            Verdict::Unchanged
        } else {
            Verdict::Show
        }
    }
}

/// The state that a write expects.
///
/// A list in `If-Match` holds if any of its tags does. Tags that are not of the form `"v<n>"` never
/// match. A weak `W/"v<n>"` counts as `"v<n>"`: proxies weaken the tags of answers that they
/// compress, and a version names its bytes all the same (§13.1.1 asks for the strong comparison).
///
/// # Errors
/// `invalid-request` for a condition that has no meaning here, and for a malformed one.
pub(super) fn expect(head: &Head<'_>, route: &Route) -> Result<Expect> {
    let (if_match, if_none_match) =
        (head.headers.get("if-match"), head.headers.get("if-none-match"));
    if if_match.is_none() && if_none_match.is_none() {
        return Ok(Expect::Anything);
    }
    match (route.conditions, if_match, if_none_match) {
        (Conditions::Create, None, Some(list)) if list.trim() == "*" => Ok(Expect::NoneMatch),
        (Conditions::Create | Conditions::Match, Some(list), None) => expected_version(&list),
        // The context cannot both exist and not exist, so this never matches.
        (Conditions::Create, Some(_), Some(list)) if list.trim() == "*" => Ok(Expect::Version(0)),
        (Conditions::Create, ..) => {
            Err(refuse("If-None-Match on a write must be `*`; use If-Match to name a version"))
        }
        (Conditions::Match, ..) => {
            Err(refuse("this request does not accept If-None-Match; use If-Match"))
        }
        // Ignoring a condition would be worse than refusing it.
        (Conditions::None | Conditions::Read, ..) => {
            Err(refuse("this request does not accept If-Match or If-None-Match; remove the header"))
        }
    }
}

fn expected_version(list: &str) -> Result<Expect> {
    if list.trim() == "*" {
        return Ok(Expect::Present);
    }
    if !is_list(list) {
        return Err(refuse("If-Match must be `*` or an entity tag such as \"v3\""));
    }
    let mut versions = tags(list).filter_map(|tag| tag.version());
    match (versions.next(), versions.next()) {
        // Version 0 never exists, so this never matches.
        (None, _) => Ok(Expect::Version(0)),
        (Some(version), None) => Ok(Expect::Version(version)),
        (Some(_), Some(_)) => Err(refuse("If-Match must name one version")),
    }
}

/// An entity tag of a list.
struct Tag<'a> {
    text: &'a str,
}

impl Tag<'_> {
    /// The version of `"v<n>"`.
    fn version(&self) -> Option<u64> {
        let digits = self.text.strip_prefix("\"v")?.strip_suffix('"')?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        if plain && !digits.starts_with('0') { digits.parse().ok() } else { None }
    }
}

/// The tags of a list, up to the first that is malformed. Tags may hold commas.
fn tags(list: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let (tag, after) = next_tag(rest)?;
        rest = after;
        Some(tag)
    })
}

fn next_tag(list: &str) -> Option<(Tag<'_>, &str)> {
    let list = list.trim_start_matches([' ', '\t', ',']);
    let tag = list.strip_prefix("W/").unwrap_or(list);
    let end = tag.strip_prefix('"')?.find('"')?;
    let (text, rest) = tag.split_at_checked(end + 2)?;
    Some((Tag { text }, rest))
}

/// Whether the whole text is a list of tags.
fn is_list(list: &str) -> bool {
    let mut rest = list;
    let mut any = false;
    while let Some((_, after)) = next_tag(rest) {
        let gap = after.trim_start_matches([' ', '\t']);
        if !gap.is_empty() && !gap.starts_with(',') {
            return false;
        }
        any = true;
        rest = after;
    }
    any && rest.trim_matches([' ', '\t', ',']).is_empty()
}

fn refuse(detail: &'static str) -> Error {
    Error::new(Code::InvalidRequest, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{
        Headers,
        routes::{Action, ROUTES},
    };

    fn head(headers: &dyn Headers) -> Head<'_> {
        Head { method: "PUT", path: "", query: "", headers }
    }

    fn expected(action: Action, headers: &[(&str, &str)]) -> Result<Expect> {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let route = ROUTES.iter().find(|route| route.action == action).unwrap();
        expect(&head(&headers), route)
    }

    #[test]
    fn a_write_expects_what_the_headers_say() {
        for (headers, outcome) in [
            (&[][..], Some(Expect::Anything)),
            (&[("if-match", "\"v3\"")], Some(Expect::Version(3))),
            (&[("if-match", " \"v3\" ,")], Some(Expect::Version(3))),
            (&[("if-match", "*")], Some(Expect::Present)),
            (&[("if-match", "\"x,y\", \"v12\"")], Some(Expect::Version(12))),
            (&[("if-match", "W/\"v3\"")], Some(Expect::Version(3))),
            (&[("if-match", "\"v03\"")], Some(Expect::Version(0))),
            (&[("if-match", "\"v99999999999999999999\"")], Some(Expect::Version(0))),
            (&[("if-match", "\"v1\", \"v2\"")], None),
            (&[("if-match", "v3")], None),
            (&[("if-match", "")], None),
            (&[("if-match", "\"v3")], None),
            (&[("if-match", "\"v3\" \"v4\"")], None),
            (&[("if-none-match", "*")], Some(Expect::NoneMatch)),
            (&[("if-none-match", "\"v3\"")], None),
            (&[("if-match", "*"), ("if-none-match", "*")], Some(Expect::Version(0))),
        ] {
            assert_eq!(expected(Action::Put, headers).ok(), outcome, "{headers:?}");
        }
        assert!(expected(Action::Patch, &[("if-none-match", "*")]).is_err());
        assert!(expected(Action::Batch, &[("if-match", "\"v1\"")]).is_err());
        assert!(expected(Action::Restore, &[("if-match", "*")]).is_err());
    }

    #[test]
    fn a_read_is_held_against_lists() {
        let judge = |if_match: Option<&str>, if_none_match: Option<&str>| {
            Validators {
                if_match: if_match.map(Into::into),
                if_none_match: if_none_match.map(Into::into),
            }
            .judge("\"abc\"")
        };
        assert_eq!(judge(None, None), Verdict::Show);
        assert_eq!(judge(None, Some("\"abc\"")), Verdict::Unchanged);
        assert_eq!(judge(None, Some("\"x\" , W/\"abc\"")), Verdict::Unchanged);
        assert_eq!(judge(None, Some("*")), Verdict::Unchanged);
        assert_eq!(judge(None, Some("abc")), Verdict::Show);
        assert_eq!(judge(Some("\"abc\""), None), Verdict::Show);
        assert_eq!(judge(Some("W/\"abc\""), None), Verdict::Show);
        assert_eq!(judge(Some("\"x\""), Some("\"abc\"")), Verdict::Failed);
    }
}
