//! `/.well-known/security.txt` (RFC 9116): where to report a vulnerability of a deployment.

use nacre_core::moment::Moment;

/// How long an answer is good, in milliseconds: half a year. RFC 9116 §2.5.5 asks for less than one.
const GOOD_MILLIS: u64 = 180 * 24 * 60 * 60 * 1000;

/// What the deployment says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityTxt {
    contacts: Vec<String>,
    policy: Option<String>,
}

impl SecurityTxt {
    /// Reads `NACRE_SECURITY_CONTACT`, addresses separated by commas, best first, and
    /// `NACRE_SECURITY_POLICY`.
    ///
    /// # Errors
    /// What the operator must change.
    pub fn parse(contact: &str, policy: Option<&str>) -> Result<SecurityTxt, &'static str> {
        let contacts: Vec<String> = contact.split(',').map(|one| one.trim().to_owned()).collect();
        if !contacts.iter().all(|one| is_uri(one, &["mailto:", "https://", "tel:"])) {
            return Err(
                "NACRE_SECURITY_CONTACT must be addresses that begin with mailto:, https:// \
                        or tel:, separated by commas",
            );
        }
        if policy.is_some_and(|policy| !is_uri(policy, &["https://"])) {
            return Err("NACRE_SECURITY_POLICY must begin with https://");
        }
        Ok(SecurityTxt { contacts, policy: policy.map(String::from) })
    }

    /// The document as of `now`: it never has expired.
    pub(super) fn text(&self, now: Moment) -> String {
        let mut text = String::new();
        for contact in &self.contacts {
            text.push_str(&format!("Contact: {contact}\n"));
        }
        text.push_str(&format!("Expires: {}\n", now.later(GOOD_MILLIS)));
        if let Some(policy) = &self.policy {
            text.push_str(&format!("Policy: {policy}\n"));
        }
        text.push_str("Preferred-Languages: en\n");
        text
    }
}

/// Whether a text is an address of one of these schemes, on one line.
fn is_uri(text: &str, schemes: &[&str]) -> bool {
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_the_lines_of_rfc_9116() {
        let policy = Some("https://example.com/policy");
        let document = SecurityTxt::parse("mailto:a@example.com, https://example.com/r", policy);
        assert_eq!(
            document.unwrap().text(Moment(1_800_000_000_000)),
            "Contact: mailto:a@example.com\nContact: https://example.com/r\n\
             Expires: 2027-07-14T08:00:00.000Z\nPolicy: https://example.com/policy\n\
             Preferred-Languages: en\n"
        );
    }

    #[test]
    fn no_setting_can_add_a_line_or_another_scheme() {
        for contact in ["a@example.com", "http://example.com", "mailto:", "mailto:a\nPolicy: x", ""]
        {
            assert!(SecurityTxt::parse(contact, None).is_err(), "{contact:?}");
        }
        assert!(SecurityTxt::parse("tel:+1-201-555-0123", Some("http://x")).is_err());
    }
}
