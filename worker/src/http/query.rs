//! Query strings, decoded strictly against the parameters of the route.

use std::borrow::Cow;

use nacre_core::{
    address::Address,
    error::{Code, Error, Result},
    id::ContextId,
    op::ImportMode,
    store::AsOf,
    wire::{
        question::{in_query, not_from_one_to},
        request,
    },
};
use percent_encoding::percent_decode_str;

use super::routes::Route;

/// The parameters of one request. Each one is in the table of the route, and comes once.
pub(super) struct Query<'a> {
    pairs: Vec<(&'static str, Cow<'a, str>)>,
}

impl<'a> Query<'a> {
    /// Reads a query string as the route allows it.
    ///
    /// # Errors
    /// `invalid-request` for an unknown, repeated, missing or undecodable parameter.
    pub(super) fn parse(text: &'a str, route: &Route) -> Result<Query<'a>> {
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            let Some(param) = route.query.iter().find(|param| param.name == name) else {
                return Err(refuse(unknown(route)));
            };
            if pairs.iter().any(|(known, _)| *known == param.name) {
                return Err(refuse(format!(
                    "query parameter `{}` must not be repeated",
                    param.name
                )));
            }
            pairs.push((param.name, decode(value)?));
        }
        let given = |name: &str| pairs.iter().any(|(known, _)| *known == name);
        match route.query.iter().find(|param| param.required && !given(param.name)) {
            Some(param) => Err(refuse(format!("query parameter `{}` is required", param.name))),
            None => Ok(Query { pairs }),
        }
    }

    /// A parameter's text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }

    /// A parameter read by `read`; its errors name the parameter.
    pub(super) fn read<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T>,
    ) -> Result<Option<T>> {
        let read = |text| read(text).map_err(|error| in_query(name, error));
        self.text(name).map(read).transpose()
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool> {
        let flag = self.read(name, |text| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(refuse("must be `true` or `false`")),
        })?;
        Ok(flag.unwrap_or(false))
    }

    pub(super) fn id(&self, name: &str) -> Result<Option<ContextId>> {
        self.read(name, ContextId::parse)
    }

    pub(super) fn address(&self, name: &str) -> Result<Option<Address>> {
        self.read(name, |text| match text.split_once('/') {
            Some((level, id)) => Address::parse(level, id),
            None => Err(Error::new(Code::InvalidId, "must be `level/id`, such as `task/fix-1`")),
        })
    }

    /// A whole number from 1 to `most`.
    pub(super) fn number(&self, name: &str, most: u64) -> Result<Option<u64>> {
        self.read(name, |text| match text.parse() {
            Ok(number) if (1..=most).contains(&number) => Ok(number),
            _ => Err(not_from_one_to(most)),
        })
    }

    pub(super) fn as_of(&self, name: &str) -> Result<Option<AsOf>> {
        // An unencoded plus sign was decoded to a space; a time never has a space after the `T`.
        self.read(name, |text| match text.rsplit_once(' ') {
            Some((time, offset)) if time.contains('T') => {
                request::as_of(&format!("{time}+{offset}"))
            }
            _ => request::as_of(text),
        })
    }

    pub(super) fn mode(&self) -> Result<ImportMode> {
        let mode = self.read("mode", |text| match text {
            "create" => Ok(ImportMode::Create),
            "replace" => Ok(ImportMode::Replace),
            _ => Err(refuse("must be `create` or `replace`")),
        })?;
        Ok(mode.unwrap_or(ImportMode::Create))
    }

    pub(super) fn summary(&self) -> Option<String> {
        self.text("summary").map(Into::into)
    }
}

/// A segment of a path.
///
/// # Errors
/// `invalid-request` when it is not percent-encoded UTF-8.
pub(super) fn decode_segment(text: &str) -> Result<Cow<'_, str>> {
    check_escapes(text)?;
    percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| refuse("the path must be percent-encoded UTF-8"))
}

/// A name or value of a query, as forms encode them.
fn decode(text: &str) -> Result<Cow<'_, str>> {
    check_escapes(text)?;
    let refused = |_| refuse("the query must be percent-encoded UTF-8");
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        let decoded = percent_decode_str(&spaced).decode_utf8().map_err(refused)?;
        return Ok(Cow::Owned(decoded.into_owned()));
    }
    percent_decode_str(text).decode_utf8().map_err(refused)
}

fn check_escapes(text: &str) -> Result<()> {
    let whole = text.split('%').skip(1).all(|rest| {
        let mut digits = rest.bytes().take(2);
        let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        hex(digits.next()) && hex(digits.next())
    });
    if whole {
        Ok(())
    } else {
        Err(refuse("`%` in the URL must be followed by two hexadecimal digits"))
    }
}

fn unknown(route: &Route) -> String {
    if route.query.is_empty() {
        return "this request does not accept query parameters".into();
    }
    let names: Vec<&str> = route.query.iter().map(|param| param.name).collect();
    format!("unknown query parameter; allowed: {}", names.join(", "))
}

fn refuse(detail: impl Into<Cow<'static, str>>) -> Error {
    Error::new(Code::InvalidRequest, detail)
}

#[cfg(test)]
mod tests {
    use nacre_core::limits;

    use super::*;
    use crate::http::routes::{Action, ROUTES};

    fn route(action: Action) -> &'static Route {
        ROUTES.iter().find(|route| route.action == action).unwrap()
    }

    #[test]
    fn parameters_are_decoded_as_forms_encode_them() {
        let query = Query::parse("summary=a+b%2Bc%c3%a9&&cascade=true", route(Action::Delete));
        let query = query.unwrap();
        assert_eq!(query.summary().as_deref(), Some("a b+cé"));
        assert!(query.flag("cascade").unwrap());
    }

    #[test]
    fn what_the_route_does_not_know_is_refused() {
        let parse = |text: &'static str| Query::parse(text, route(Action::List)).err();
        for text in ["x=1", "limit=1&limit=2", "prefix=%", "prefix=%g0", "prefix=%ff", "Limit=1"] {
            assert_eq!(parse(text).unwrap().code(), Code::InvalidRequest, "{text}");
        }
        assert!(parse("").is_none());
        let missing = Query::parse("to=2", route(Action::Diff)).err().unwrap();
        assert!(missing.detail().contains("`from` is required"), "{missing}");
    }

    #[test]
    fn each_kind_refuses_what_it_is_not() {
        let list = |text: &'static str| Query::parse(text, route(Action::List)).unwrap();
        assert_eq!(list("limit=200").number("limit", 200), Ok(Some(200)));
        assert_eq!(list("").number("limit", 200), Ok(None));
        for text in ["limit=0", "limit=201", "limit=x", "limit="] {
            let error = list(text).number("limit", 200).unwrap_err();
            assert_eq!(error.limit_value(), Some(200), "{text}");
        }
        assert_eq!(list("parent=").id("parent").unwrap_err().code(), Code::InvalidId);
        assert_eq!(list("under=task").address("under").unwrap_err().code(), Code::InvalidId);
        assert!(list("under=task/a").address("under").unwrap().is_some());
        assert!(list("data=yes").flag("data").is_err());

        let get = |text: &'static str| Query::parse(text, route(Action::Get)).unwrap();
        for text in ["version=0", "version=-1", "version=9007199254740992", "version=1.0"] {
            assert!(get(text).number("version", limits::EXACT_INTEGER).is_err(), "{text}");
        }
        for text in ["at=2026-01-01T00:00:00+01:00", "at=2026-01-01T00:00:00%2B01:00"] {
            assert!(matches!(get(text).as_of("at"), Ok(Some(AsOf::Time(_)))), "{text}");
        }
        assert_eq!(get("at=5").as_of("at"), Ok(Some(AsOf::Seq(5))));
        assert!(get("at=").as_of("at").is_err());
    }
}
