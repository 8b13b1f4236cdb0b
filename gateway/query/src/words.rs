//! The words of a command that the SQL parser does not read (SET, FETCH, ASK, ...): a cursor over its tokens.

use mantissa_core::{ErrorKind, Problem};

use crate::outcome::Result;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Word {
    /// Unquoted, folded to lower case.
    Name(String),
    /// `"Quoted"`.
    Quoted(String),
    /// `'text'`, escapes resolved.
    Text(String),
    Number(String),
    Symbol(char),
}

/// Reads one command from left to right.
pub(crate) struct Words<'a> {
    text: &'a str,
    /// Each word with the byte where it starts.
    words: Vec<(Word, usize)>,
    next: usize,
}

impl<'a> Words<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, words: scan(text), next: 0 }
    }

    pub fn peek(&self) -> Option<&Word> {
        self.words.get(self.next).map(|(word, _)| word)
    }

    pub fn peek_ahead(&self, ahead: usize) -> Option<&Word> {
        self.words.get(self.next + ahead).map(|(word, _)| word)
    }

    pub fn peek_name(&self, ahead: usize) -> Option<&str> {
        match self.words.get(self.next + ahead) {
            Some((Word::Name(name), _)) => Some(name),
            _ => None,
        }
    }

    pub fn take(&mut self) -> Option<Word> {
        let word = self.words.get(self.next).map(|(word, _)| word.clone());
        self.next += usize::from(word.is_some());
        word
    }

    /// Takes the next word when it is the unquoted `name`.
    pub fn accept(&mut self, name: &str) -> bool {
        let matches = self.peek_name(0) == Some(name);
        self.next += usize::from(matches);
        matches
    }

    /// Takes several unquoted names in a row, or none of them.
    pub fn accept_all(&mut self, names: &[&str]) -> bool {
        let matches = names.iter().enumerate().all(|(ahead, name)| self.peek_name(ahead) == Some(name));
        if matches {
            self.next += names.len();
        }
        matches
    }

    pub fn accept_symbol(&mut self, symbol: char) -> bool {
        let matches = self.peek() == Some(&Word::Symbol(symbol));
        self.next += usize::from(matches);
        matches
    }

    pub fn expect(&mut self, name: &str) -> Result<()> {
        if self.accept(name) { Ok(()) } else { Err(self.syntax_error()) }
    }

    pub fn expect_symbol(&mut self, symbol: char) -> Result<()> {
        if self.accept_symbol(symbol) { Ok(()) } else { Err(self.syntax_error()) }
    }

    /// An identifier, quoted or not.
    pub fn identifier(&mut self) -> Result<String> {
        match self.peek() {
            Some(Word::Name(name) | Word::Quoted(name)) => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.syntax_error()),
        }
    }

    /// `a` or `a.b`, joined with a dot.
    pub fn dotted_name(&mut self) -> Result<String> {
        let mut name = self.identifier()?;
        while self.accept_symbol('.') {
            name.push('.');
            name.push_str(&self.identifier()?);
        }
        Ok(name)
    }

    pub fn text(&mut self) -> Result<String> {
        match self.peek() {
            Some(Word::Text(text)) => {
                let text = text.clone();
                self.next += 1;
                Ok(text)
            }
            _ => Err(self.syntax_error()),
        }
    }

    /// An integer with an optional sign, where one stands next.
    pub fn integer(&mut self) -> Option<i64> {
        let (negative, ahead) = match self.peek() {
            Some(Word::Symbol('-')) => (true, 1),
            Some(Word::Symbol('+')) => (false, 1),
            _ => (false, 0),
        };
        let Some((Word::Number(digits), _)) = self.words.get(self.next + ahead) else { return None };
        let number: i64 = digits.parse().ok()?;
        self.next += ahead + 1;
        Some(if negative { -number } else { number })
    }

    pub fn at_end(&self) -> bool {
        self.next >= self.words.len()
    }

    pub fn expect_end(&self) -> Result<()> {
        if self.at_end() { Ok(()) } else { Err(self.syntax_error()) }
    }

    /// The rest of the text from the next word on, with the number of characters before it.
    pub fn rest(&self) -> (&'a str, u32) {
        let start = self.words.get(self.next).map_or(self.text.len(), |(_, start)| *start);
        (&self.text[start..], self.text[..start].chars().count() as u32)
    }

    /// The text inside the parenthesis that stands next, with the number of characters before it; moves past it.
    pub fn parenthesised(&mut self) -> Result<(&'a str, u32)> {
        let open = self.words.get(self.next).map(|(_, start)| *start);
        self.expect_symbol('(')?;
        let mut depth = 1;
        while let Some((word, start)) = self.words.get(self.next) {
            self.next += 1;
            match word {
                Word::Symbol('(') => depth += 1,
                Word::Symbol(')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let begin = open.unwrap_or(0) + 1;
                return Ok((&self.text[begin..*start], self.text[..begin].chars().count() as u32));
            }
        }
        Err(self.syntax_error())
    }

    /// `syntax error at or near "x"`, at the next word.
    pub fn syntax_error(&self) -> Problem {
        let Some((_, start)) = self.words.get(self.next) else {
            let end = self.text.chars().count() as u32 + 1;
            return Problem::new(ErrorKind::SyntaxError, "syntax error at end of input").at(end);
        };
        let end = self.words.get(self.next + 1).map_or(self.text.len(), |(_, end)| *end);
        let near = self.text[*start..end].trim_end();
        let position = self.text[..*start].chars().count() as u32 + 1;
        Problem::new(ErrorKind::SyntaxError, format!("syntax error at or near \"{near}\"")).at(position)
    }
}

fn scan(text: &str) -> Vec<(Word, usize)> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let start = at;
        let rest = &text[at..];
        if character.is_whitespace() {
            at += character.len_utf8();
        } else if rest.starts_with("--") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if rest.starts_with("/*") {
            at += comment_length(rest);
        } else if character == '\'' {
            let (value, length) = quoted(rest, '\'', false);
            words.push((Word::Text(value), start));
            at += length;
        } else if (rest.starts_with("e'") || rest.starts_with("E'")) && rest.len() > 1 {
            let (value, length) = quoted(&rest[1..], '\'', true);
            words.push((Word::Text(value), start));
            at += length + 1;
        } else if character == '"' {
            let (value, length) = quoted(rest, '"', false);
            words.push((Word::Quoted(value), start));
            at += length;
        } else if let Some((value, length)) = dollar_quoted(rest) {
            words.push((Word::Text(value), start));
            at += length;
        } else if character.is_ascii_digit() {
            let length = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
            words.push((Word::Number(rest[..length].to_owned()), start));
            at += length;
        } else if character.is_alphabetic() || character == '_' {
            let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            words.push((Word::Name(rest[..length].to_lowercase()), start));
            at += length;
        } else {
            words.push((Word::Symbol(character), start));
            at += character.len_utf8();
        }
    }
    words
}

/// Bytes of a comment that may nest.
fn comment_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0, 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// The value of a quoted run that starts at the quote, and its length in bytes.
fn quoted(text: &str, quote: char, escapes: bool) -> (String, usize) {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == quote {
            if characters.peek().is_some_and(|(_, next)| *next == quote) {
                characters.next();
                value.push(quote);
                continue;
            }
            return (value, at + quote.len_utf8());
        }
        if character == '\\' && escapes {
            match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, other)) => value.push(other),
                None => {}
            }
            continue;
        }
        value.push(character);
    }
    (value, text.len())
}

fn dollar_quoted(text: &str) -> Option<(String, usize)> {
    let rest = text.strip_prefix('$')?;
    let tag = &rest[..rest.find('$')?];
    if tag.starts_with(|c: char| c.is_ascii_digit()) || !tag.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let fence = format!("${tag}$");
    let body = &text[fence.len()..];
    let end = body.find(&fence)?;
    Some((body[..end].to_owned(), fence.len() * 2 + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_word_is_read() {
        let mut words = Words::new("SET \"My Name\" /* a /* nested */ one */ = E'a\\nb', $q$it's$q$ -- end\n , -12");
        assert!(words.accept("set"));
        assert_eq!(words.take(), Some(Word::Quoted("My Name".into())));
        assert!(words.accept_symbol('='));
        assert_eq!(words.text().unwrap(), "a\nb");
        assert!(words.accept_symbol(','));
        assert_eq!(words.text().unwrap(), "it's");
        assert!(words.accept_symbol(','));
        assert_eq!(words.integer(), Some(-12));
        assert!(words.at_end());
    }

    #[test]
    fn a_syntax_error_names_the_word_and_its_position() {
        let mut words = Words::new("fetch é oops");
        words.take();
        words.take();
        let problem = words.syntax_error();
        assert_eq!((problem.message.as_str(), problem.position), ("syntax error at or near \"oops\"", Some(9)));
    }

    #[test]
    fn a_parenthesis_gives_its_inside() {
        let mut words = Words::new("copy (select ')' , (1)) to stdout");
        words.take();
        assert_eq!(words.parenthesised().unwrap(), ("select ')' , (1)", 6));
        assert!(words.accept_all(&["to", "stdout"]));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_scanned(text in ".*") {
            let mut words = Words::new(&text);
            while words.take().is_some() {}
            words.syntax_error();
        }
    }
}
