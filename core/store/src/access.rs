//! The scopes of a token: what a caller may do.

use core::fmt;

/// The scopes of a token, as a set.
///
/// `contexts:read` and `contexts:write` are independent. `admin` implies both, but never
/// `secrets:reveal`: an administrator need not see secrets.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// No scope.
    pub const NONE: Scopes = Scopes(0);
    /// `contexts:read`.
    pub const READ: Scopes = Scopes(1);
    /// `contexts:write`.
    pub const WRITE: Scopes = Scopes(1 << 1);
    /// `secrets:reveal`.
    pub const REVEAL: Scopes = Scopes(1 << 2);
    /// `admin`.
    pub const ADMIN: Scopes = Scopes(1 << 3);
    /// The scopes of a token without a `scope` claim: read and write.
    pub const UNSTATED: Scopes = Scopes::READ.with(Scopes::WRITE);

    const NAMES: [(&'static str, Scopes); 4] = [
        ("contexts:read", Scopes::READ),
        ("contexts:write", Scopes::WRITE),
        ("secrets:reveal", Scopes::REVEAL),
        ("admin", Scopes::ADMIN),
    ];

    /// Reads a `scope` claim (RFC 6749 §3.3: names separated by spaces). Unknown names belong to
    /// other products and are ignored. An empty text is [`Scopes::NONE`].
    pub fn parse(text: &str) -> Scopes {
        text.split(' ').fold(Scopes::NONE, |scopes, name| {
            let known = Scopes::NAMES.into_iter().find(|(known, _)| *known == name);
            known.map_or(scopes, |(_, scope)| scopes.with(scope))
        })
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Scopes) -> Scopes {
        Scopes(self.0 | other.0)
    }

    /// Whether everything that these scopes stand for is allowed.
    pub const fn allows(self, needed: Scopes) -> bool {
        (!needed.holds_any(Scopes::READ) || self.allows_read())
            && (!needed.holds_any(Scopes::WRITE) || self.allows_write())
            && (!needed.holds_any(Scopes::REVEAL) || self.allows_reveal())
            && (!needed.holds_any(Scopes::ADMIN) || self.is_admin())
    }

    /// Whether contexts may be read.
    pub const fn allows_read(self) -> bool {
        self.holds_any(Scopes::READ.with(Scopes::ADMIN))
    }

    /// Whether contexts may be written.
    pub const fn allows_write(self) -> bool {
        self.holds_any(Scopes::WRITE.with(Scopes::ADMIN))
    }

    /// Whether sealed values may be opened.
    pub const fn allows_reveal(self) -> bool {
        self.holds_any(Scopes::REVEAL)
    }

    /// Whether the caller administers the store.
    pub const fn is_admin(self) -> bool {
        self.holds_any(Scopes::ADMIN)
    }

    const fn holds_any(self, other: Scopes) -> bool {
        self.0 & other.0 != 0
    }
}

impl fmt::Display for Scopes {
    /// As a `scope` claim, names in a fixed order; [`Scopes::parse`] reads it back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = Scopes::NAMES.into_iter().filter(|(_, scope)| self.holds_any(*scope));
        for (i, (name, _)) in held.enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn admin_implies_read_and_write_but_not_reveal() {
        let admin = Scopes::parse("admin");
        assert!(admin.allows_read() && admin.allows_write() && admin.is_admin());
        assert!(!admin.allows_reveal());
        assert!(Scopes::parse("admin secrets:reveal").allows_reveal());
    }

    #[test]
    fn write_does_not_imply_read_nor_the_reverse() {
        assert!(!Scopes::WRITE.allows_read() && Scopes::WRITE.allows_write());
        assert!(Scopes::READ.allows_read() && !Scopes::READ.allows_write());
    }

    #[test]
    fn unknown_and_misspelt_names_grant_nothing() {
        assert_eq!(Scopes::parse(""), Scopes::NONE);
        assert_eq!(Scopes::parse("openid email Admin contexts:READ admins"), Scopes::NONE);
        assert_eq!(Scopes::parse("contexts:read,contexts:write\tadmin"), Scopes::NONE);
        assert_eq!(Scopes::parse("  openid  contexts:read "), Scopes::READ);
    }

    #[test]
    fn every_set_survives_its_text() {
        for bits in 0..1 << Scopes::NAMES.len() {
            assert_eq!(Scopes::parse(&Scopes(bits).to_string()), Scopes(bits));
        }
    }
}
