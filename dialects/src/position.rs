use sqlparser::tokenizer::{Location, Span};

/// Finds the 1-based character of a text.
///
/// Trees made by this crate carry that character in every span already ([`Position::of`]); a tree or an error of
/// sqlparser's own carries line and column ([`Position::at`]).
#[derive(Debug, Clone)]
pub struct Position {
    /// Characters before each line.
    lines: Vec<u64>,
}

impl Position {
    pub fn new(text: &str) -> Self {
        let mut lines = vec![0];
        let mut characters = 0;
        for character in text.chars() {
            characters += 1;
            if character == '\n' {
                lines.push(characters);
            }
        }
        Self { lines }
    }

    /// The character that a line and column of the text name; `None` for the empty location.
    pub fn at(&self, location: Location) -> Option<u32> {
        let line = usize::try_from(location.line).ok()?.checked_sub(1)?;
        let start = self.lines.get(line)?;
        u32::try_from(start + location.column).ok().filter(|position| *position > 0)
    }

    /// The character where a node of a tree from [`crate::parse_query`] begins; `None` for a node that no text wrote.
    pub fn of(span: Span) -> Option<u32> {
        if span.start.line == 0 { None } else { u32::try_from(span.start.column).ok() }
    }

    /// The span of one node on the canonical tree's single line.
    pub(crate) fn flatten(&self, span: Span) -> Span {
        let flat = |location| match self.at(location) {
            Some(character) => Location { line: 1, column: u64::from(character) },
            None => Location { line: 0, column: 0 },
        };
        Span { start: flat(span.start), end: flat(span.end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_not_bytes() {
        let position = Position::new("sélect\r\n  ß\nx");
        assert_eq!(position.at(Location { line: 1, column: 1 }), Some(1));
        assert_eq!(position.at(Location { line: 2, column: 3 }), Some(11));
        assert_eq!(position.at(Location { line: 3, column: 1 }), Some(13));
        assert_eq!(position.at(Location { line: 0, column: 0 }), None);
    }
}
