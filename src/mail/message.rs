//! An invitation as a mail: text, HTML and, where there is a start, a calendar file.

use lettre::Message;
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart};
use maud::{DOCTYPE, Markup, html};

use super::calendar::Event;
use super::invitation::Letter;
use super::texts::{Words, words};

/// The mail with `letter`, from `from`, whose reader comes in by `link`; `now` in seconds since the Unix epoch.
///
/// # Errors
/// When it cannot be written down.
pub(super) fn message(letter: &Letter, from: &Mailbox, link: &str, now: u64) -> Result<Message, lettre::error::Error> {
    let words = words(letter);
    let address = letter.address.parse().map_err(|_| lettre::error::Error::MissingTo)?;
    let id = format!("{}@{}", letter.message_id, from.email.domain());
    // lettre panics at a name that no header can have.
    let name = letter.name.clone().filter(|name| !name.chars().any(char::is_control));
    let envelope = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(name, address))
        .subject(&words.subject)
        .message_id(Some(format!("<{id}>")));
    let text = plain(&words, link);
    let html = page(letter, &words, link).into_string();
    let both = MultiPart::alternative_plain_html(text.clone(), html);
    let Some(at) = letter.appointment else { return envelope.multipart(both) };
    let file = Event { uid: &id, title: &letter.title, description: &text, link, made: now, at }.file();
    let kind = ContentType::parse("text/calendar; charset=utf-8; method=PUBLISH").expect("it is a content type");
    let calendar = Attachment::new("invitation.ics".to_owned()).body(file, kind);
    envelope.multipart(MultiPart::mixed().multipart(both).singlepart(calendar))
}

fn plain(words: &Words, link: &str) -> String {
    let Words { invites, when, come_in, yours, .. } = words;
    let when = when.as_ref().map(|when| format!("{when}\n")).unwrap_or_default();
    format!("{invites}\n{when}\n{come_in}\n{link}\n\n{yours}\n")
}

/// Styles stand in attributes: many mail programs read no others. Everything in it is escaped.
fn page(letter: &Letter, words: &Words, link: &str) -> Markup {
    let language = match letter.language {
        dais_signaling::protocol::Language::En => "en",
        dais_signaling::protocol::Language::De => "de",
    };
    html! {
        (DOCTYPE)
        html lang=(language) {
            head {
                meta charset="utf-8";
                title { (words.subject) }
            }
            body style="margin:0;padding:24px;background:#f4f6fa;color:#1b2130;font:16px/1.5 sans-serif" {
                div style="max-width:520px;margin:0 auto;padding:28px;background:#ffffff;border-radius:14px" {
                    h1 style="margin:0 0 12px;font-size:21px" { (letter.title) }
                    p style="margin:0 0 12px" { (words.invites) }
                    @if let Some(when) = &words.when {
                        p style="margin:0 0 12px;font-weight:bold" { (when) }
                    }
                    p style="margin:24px 0" {
                        a href=(link) style="display:inline-block;padding:12px 22px;border-radius:10px;background:#1f5fd0;color:#ffffff;text-decoration:none;font-weight:bold" {
                            (words.button)
                        }
                    }
                    p style="margin:0 0 12px;font-size:13px;color:#4d566b;overflow-wrap:anywhere" {
                        (words.come_in) br; a href=(link) { (link) }
                    }
                    p style="margin:0;font-size:13px;color:#4d566b" { (words.yours) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dais_signaling::protocol::Language;
    use dais_stage::{Millis, Role};

    use super::super::invitation::Appointment;
    use super::*;

    const LINK: &str = "https://example.org/r/talks#token=abc";

    fn letter(language: Language) -> Letter {
        Letter {
            address: "ann@example.org".to_owned(),
            name: Some("Zoë, Ann".to_owned()),
            role: Role::Speaker,
            expires: Millis(0),
            title: "Q&A <b>live</b>".to_owned(),
            by: Some("Maya".to_owned()),
            language,
            appointment: Some(Appointment { start: 1_795_708_800, minutes: 90, utc_offset: 0 }),
            message_id: "1f".to_owned(),
        }
    }

    fn written(letter: &Letter) -> String {
        let from = "The stage <stage@example.net>".parse().unwrap();
        String::from_utf8(message(letter, &from, LINK, 1_795_000_000).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_letter_is_text_html_and_a_calendar_file() {
        let mail = written(&letter(Language::En));
        for part in ["Message-ID: <1f@example.net>", "text/plain", "text/html", "text/calendar", "invitation.ics"] {
            assert!(mail.contains(part), "{part} in {mail}");
        }
        let dateless = Letter { appointment: None, ..letter(Language::En) };
        let mail = written(&dateless);
        assert!(!mail.contains("text/calendar"), "without a start there is no file");
    }

    #[test]
    fn everything_is_said_in_each_language_and_nothing_in_it_is_html() {
        for (language, invites, when) in [
            (Language::En, "Maya invites you to “Q&A <b>live</b>” as a speaker.", "When: Thursday"),
            (Language::De, "Maya lädt Sie zum Sprechen zu „Q&A <b>live</b>“ ein.", "Wann: Donnerstag"),
        ] {
            let letter = letter(language);
            let words = words(&letter);
            let text = plain(&words, LINK);
            assert!(text.contains(invites) && text.contains(when) && text.contains(LINK), "{text}");
            let html = page(&letter, &words, LINK).into_string();
            assert!(html.contains("Q&amp;A &lt;b&gt;live&lt;/b&gt;") && !html.contains("<b>"), "{html}");
            assert_eq!(html.matches(LINK).count(), 3);
        }
    }

    #[test]
    fn a_line_break_in_what_others_typed_begins_no_header() {
        let spiteful = Letter {
            title: "A\r\nBcc: all@example.org".to_owned(),
            name: Some("B\r\nBcc: all@example.org".to_owned()),
            ..letter(Language::En)
        };
        let mail = written(&spiteful);
        let headers = mail.split_once("\r\n\r\n").unwrap().0;
        assert!(!headers.split("\r\n").any(|line| line.starts_with("Bcc:")), "{headers}");
    }
}
