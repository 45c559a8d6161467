//! Addresses, as people type them.

use dais_signaling::Reason;
use lettre::message::Mailbox;

use super::limits;

/// The mailboxes of `addresses`, each once, in order.
///
/// # Errors
/// `addresses_missing`, `too_many_invitations`, or `address_invalid` for the first that is none.
pub(crate) fn mailboxes(addresses: &[String]) -> Result<Vec<Mailbox>, Reason> {
    if addresses.len() > limits::ADDRESSES {
        return Err(super::too_many(format!("At most {} people are invited at once.", limits::ADDRESSES)));
    }
    let mut found: Vec<Mailbox> = Vec::new();
    for text in addresses {
        let mailbox = mailbox(text).ok_or_else(|| invalid(text))?;
        let address: &str = mailbox.email.as_ref();
        let known = |other: &Mailbox| address.eq_ignore_ascii_case(other.email.as_ref());
        if !found.iter().any(known) {
            found.push(mailbox);
        }
    }
    if found.is_empty() {
        return Err(Reason { code: "addresses_missing", text: "Enter at least one address.".to_owned() });
    }
    Ok(found)
}

/// `ann@example.org` or `Ann Lee <ann@example.org>`. A line break would begin another header of the mail (RFC 5322 §2.2), or
/// another command to the mail server: there is none in anything that becomes a mailbox.
fn mailbox(text: &str) -> Option<Mailbox> {
    let text = text.trim_matches(' ');
    if text.len() > limits::ADDRESS_BYTES || text.chars().any(char::is_control) {
        return None;
    }
    let mailbox: Mailbox = match text.parse() {
        Ok(mailbox) => mailbox,
        // The parser of header lines takes no name with letters beyond ASCII; people type them.
        Err(_) => {
            let (name, rest) = text.rsplit_once('<')?;
            let name = name.trim().trim_matches('"').to_owned();
            Mailbox::new(Some(name), rest.strip_suffix('>')?.parse().ok()?)
        }
    };
    let name = mailbox.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    Some(Mailbox::new(name, mailbox.email))
}

fn invalid(text: &str) -> Reason {
    let shown: String = text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    Reason { code: "address_invalid", text: format!("“{shown}” is not an e-mail address.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<Vec<(Option<String>, String)>, &'static str> {
        let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
        let found = mailboxes(&texts).map_err(|reason| reason.code)?;
        Ok(found.into_iter().map(|mailbox| (mailbox.name, mailbox.email.to_string())).collect())
    }

    #[test]
    fn addresses_are_taken_with_and_without_names_and_each_once() {
        let texts =
            ["ann@example.org", " Ben Okoro <ben@example.org> ", "Zoë Łuk <zoe@example.org>", "ANN@example.org"];
        let found = read(&texts).unwrap();
        let expected = [(None, "ann"), (Some("Ben Okoro"), "ben"), (Some("Zoë Łuk"), "zoe")];
        let expected = expected.map(|(name, user)| (name.map(str::to_owned), format!("{user}@example.org")));
        assert_eq!(found, expected);
    }

    #[test]
    fn what_could_become_another_header_or_command_is_no_address() {
        for text in [
            "ann@example.org\r\nBcc: all@example.org",
            "Ann\nBcc: all@example.org <ann@example.org>",
            "ann@example.org\r",
            "\nann@example.org",
            "ann\u{0}@example.org",
            "ann@example.org>\r\nRCPT TO:<ben@example.org",
            "ann@example.org, ben@example.org",
            "ann@",
            "ann",
            "",
            "ann @example.org",
            "Ann <ann@example.org",
            "Ann Ann@example.org>",
        ] {
            assert_eq!(read(&[text]), Err("address_invalid"), "{text:?}");
            assert_eq!(read(&["ben@example.org", text]), Err("address_invalid"), "{text:?}");
        }
        let long = format!("{} <ann@example.org>", "a".repeat(limits::ADDRESS_BYTES));
        assert_eq!(read(&[&long]), Err("address_invalid"));
    }

    #[test]
    fn nobody_and_too_many_are_told_apart() {
        assert_eq!(read(&[]), Err("addresses_missing"));
        let many: Vec<_> = (0..=limits::ADDRESSES).map(|n| format!("a{n}@example.org")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(read(&many), Err("too_many_invitations"));
        assert_eq!(read(&many[1..]).unwrap().len(), limits::ADDRESSES);
    }

    #[test]
    fn a_refusal_says_which_without_control_characters() {
        let reason = mailboxes(&["ann\r\n@x".to_owned()]).unwrap_err();
        assert_eq!(reason.text, "“ann\u{fffd}\u{fffd}@x” is not an e-mail address.");
    }
}
