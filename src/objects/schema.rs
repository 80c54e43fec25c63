//! The table of messages: field numbers, JSON names and types of all kinds that are stored as protobuf.
//!
//! It is `schema.txt` in this directory, made from `testdata/real/types/schema.json.xz` (read from the tags of the Go
//! types of Kubernetes and OpenShift) by the test `schema` and parsed when the first object is decoded.
//!
//! ```text
//! = core/v1.Pod v1/Pod             a message, and the kinds that are stored as it
//! 1 metadata m1113 e               number, JSON name, type, flags: message 1113 of the table, `omitempty`
//! [ core/v1.ExtraValue             a named list: a message in protobuf, a list in JSON
//! 1 - s r
//! ```
//!
//! Flags: `e` `omitempty`, `p` pointer, `r` repeated, `k` map with text keys, `i` inlined into its parent.

use std::collections::HashMap;
use std::sync::LazyLock;

static TABLE: &str = include_str!("schema.txt");
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::parse(TABLE));

/// All messages.
#[derive(Debug, Default)]
pub struct Schema {
    messages: Vec<Message>,
    kinds: HashMap<(&'static str, &'static str), MessageId>,
}

/// Number of a message in the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MessageId(u16);

/// One message.
#[derive(Debug)]
pub struct Message {
    /// How JSON shows it.
    pub form: Form,
    /// Its fields in the API's order.
    pub fields: Vec<Field>,
}

/// How JSON shows a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// As an object.
    Object,
    /// As its one field: a named list or map type of Go.
    Named,
}

/// One field of a message.
#[derive(Debug)]
pub struct Field {
    /// Its number in protobuf.
    pub number: u32,
    /// Its name in JSON; empty when it is inlined.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// How often.
    pub shape: Shape,
    /// Go leaves it out when it is empty.
    pub omit_empty: bool,
    /// Its fields stand among those of its parent.
    pub is_inline: bool,
}

/// How often a field's type occurs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Shape {
    /// Once; absent in protobuf is the zero value.
    Single,
    /// Once or not at all.
    Pointer,
    /// Any number of times.
    Repeated,
    /// Once for each key.
    Map,
}

/// Type of a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldKind {
    /// A text.
    Text,
    /// A boolean.
    Bool,
    /// A signed integer of 32 bits.
    Int32,
    /// A signed integer of 64 bits.
    Int64,
    /// An unsigned integer of 32 bits.
    Uint32,
    /// A floating point number.
    Double,
    /// Bytes: base64 in JSON.
    Bytes,
    /// An instant in whole seconds.
    Time,
    /// An instant in microseconds.
    MicroTime,
    /// A quantity such as `100m`: a text in JSON.
    Quantity,
    /// A number or a text.
    IntOrString,
    /// An embedded object.
    RawExtension,
    /// The fields that a manager owns: JSON.
    FieldsV1,
    /// Any JSON value.
    Json,
    /// A JSON schema or several.
    SchemaOrArray,
    /// A JSON schema or a boolean.
    SchemaOrBool,
    /// A JSON schema or texts.
    SchemaOrTexts,
    /// Another message of the table.
    Message(MessageId),
}

impl Schema {
    /// The table of this program.
    pub fn get() -> &'static Self {
        &SCHEMA
    }

    /// The message of a kind, such as `apps/v1` `Deployment`.
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<MessageId> {
        self.kinds.get(&(api_version, kind)).copied()
    }

    /// Number of kinds.
    pub fn kinds(&self) -> usize {
        self.kinds.len()
    }

    /// Number of messages.
    pub fn messages(&self) -> usize {
        self.messages.len()
    }

    /// The message with this number.
    pub fn message(&self, id: MessageId) -> &Message {
        static NOTHING: Message = Message {
            form: Form::Object,
            fields: Vec::new(),
        };
        self.messages.get(usize::from(id.0)).unwrap_or(&NOTHING)
    }

    /// Lines that are none of the table's are passed over; a test shows that there are none.
    fn parse(table: &'static str) -> Self {
        let mut schema = Self::default();
        for line in table.lines() {
            if let Some(message) = Message::parse(line) {
                schema.add(message, line);
            } else if let Some(field) = Field::parse(line)
                && let Some(message) = schema.messages.last_mut()
            {
                message.fields.push(field);
            }
        }
        schema
    }

    fn add(&mut self, message: Message, line: &'static str) {
        let id = MessageId(u16::try_from(self.messages.len()).unwrap_or(u16::MAX));
        for kind in line.split(' ').skip(2) {
            if let Some(names) = kind.rsplit_once('/') {
                self.kinds.insert(names, id);
            }
        }
        self.messages.push(message);
    }
}

impl Message {
    fn parse(line: &str) -> Option<Self> {
        let form = match line.split(' ').next()? {
            "=" => Form::Object,
            "[" => Form::Named,
            _ => return None,
        };
        let fields = Vec::new();
        Some(Self { form, fields })
    }
}

impl Field {
    fn parse(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ');
        let number = words.next()?.parse().ok()?;
        let name = words.next()?;
        let kind = FieldKind::parse(words.next()?)?;
        let flags = words.next().unwrap_or_default();
        let shape = match flags {
            _ if flags.contains('k') => Shape::Map,
            _ if flags.contains('r') => Shape::Repeated,
            _ if flags.contains('p') => Shape::Pointer,
            _ => Shape::Single,
        };
        Some(Self {
            number,
            name: if name == "-" { "" } else { name },
            kind,
            shape,
            omit_empty: flags.contains('e'),
            is_inline: flags.contains('i'),
        })
    }
}

impl FieldKind {
    fn parse(word: &str) -> Option<Self> {
        if let Some(number) = word.strip_prefix('m') {
            return Some(Self::Message(MessageId(number.parse().ok()?)));
        }
        Some(match word {
            "s" => Self::Text,
            "b" => Self::Bool,
            "i" => Self::Int32,
            "l" => Self::Int64,
            "u" => Self::Uint32,
            "d" => Self::Double,
            "y" => Self::Bytes,
            "T" => Self::Time,
            "M" => Self::MicroTime,
            "Q" => Self::Quantity,
            "I" => Self::IntOrString,
            "R" => Self::RawExtension,
            "F" => Self::FieldsV1,
            "J" => Self::Json,
            "A" => Self::SchemaOrArray,
            "B" => Self::SchemaOrBool,
            "S" => Self::SchemaOrTexts,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_understood() {
        let schema = Schema::get();
        let fields: usize = schema
            .messages
            .iter()
            .map(|message| message.fields.len())
            .sum();
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(schema.messages() + fields, lines);
        assert_eq!(schema.kinds(), 226);
    }

    #[test]
    fn every_message_that_is_named_is_there() {
        let schema = Schema::get();
        let fields = schema.messages.iter().flat_map(|message| &message.fields);
        for field in fields {
            if let FieldKind::Message(id) = field.kind {
                assert!(usize::from(id.0) < schema.messages(), "{}", field.name);
            }
        }
    }

    #[test]
    fn named_types_have_one_repeated_field() {
        for message in &Schema::get().messages {
            if message.form == Form::Named {
                let shapes: Vec<Shape> = message.fields.iter().map(|field| field.shape).collect();
                assert!(matches!(shapes[..], [Shape::Repeated | Shape::Map]));
            }
        }
    }
}
