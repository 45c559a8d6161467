//! Finding people by their names.

/// A search for part of a name, whatever its case: by the lower case of each character (Unicode), and with the two small
/// sigmas of Greek as one letter.
#[derive(Clone, Debug)]
pub struct NameSearch {
    /// In lower case.
    wanted: String,
    /// The name looked at, in lower case: one buffer for thousands of names.
    name: String,
}

impl NameSearch {
    /// A search for `text` without the spaces around it. Every name has an empty one.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut wanted = String::new();
        lower_case(text.trim(), &mut wanted);
        Self { wanted, name: String::new() }
    }

    /// Whether `name` has what is searched for.
    pub fn finds(&mut self, name: &str) -> bool {
        lower_case(name, &mut self.name);
        self.name.contains(&self.wanted)
    }
}

/// Writes `text` in lower case in place of what `lower` holds.
fn lower_case(text: &str, lower: &mut String) {
    lower.clear();
    if text.is_ascii() {
        lower.push_str(text);
        lower.make_ascii_lowercase();
    } else {
        let letters = text.chars().flat_map(char::to_lowercase);
        lower.extend(letters.map(|letter| if letter == 'ς' { 'σ' } else { letter }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_of_a_name_is_found_in_any_case_and_script() {
        for (wanted, name, found) in [
            ("ann", "Ann Lee", true),
            ("N L", "Ann Lee", true),
            ("  lee ", "Ann Lee", true),
            ("", "Ann Lee", true),
            ("leo", "Ann Lee", false),
            ("ann lee jr", "Ann Lee", false),
            ("ÖZ", "Zoë Özdemir", true),
            ("ozdemir", "Zoë Özdemir", false),
            ("жан", "ЖАННА", true),
            ("οδος", "ΟΔΟΣ", true),
            ("ΟΔΟΣ", "Μεγάλη οδος", true),
            ("李", "李雷", true),
            ("STRASSE", "Straße", false),
        ] {
            assert_eq!(NameSearch::new(wanted).finds(name), found, "{wanted:?} in {name:?}");
        }
    }

    #[test]
    fn one_search_looks_at_one_name_after_the_other() {
        let mut search = NameSearch::new("an");
        let found: Vec<_> = ["Ann", "Ben", "ΆΝΝΑ", "Joan", ""].into_iter().filter(|name| search.finds(name)).collect();
        assert_eq!(found, ["Ann", "Joan"]);
    }
}
