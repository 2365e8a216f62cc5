//! Conversations as prompt text, by the chat template that was published with the model.

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::{Deserialize, Serialize};

use super::DateTime;
use crate::error::{Error, ErrorKind, Result};

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks: `system`, `user` or `assistant`.
    pub role: String,
    /// What is said.
    pub content: String,
}

impl Message {
    /// A message by `role`.
    pub fn new(role: impl Into<String>, content: impl Into<String>) -> Self {
        Self { role: role.into(), content: content.into() }
    }
}

/// What a chat template is rendered with, besides the messages.
#[derive(Clone, Debug)]
pub struct ChatOptions {
    /// Whether the prompt ends with the beginning of an answer by the assistant.
    pub add_generation_prompt: bool,
    /// What the template's `strftime_now` tells; without it, templates that ask fall back on a date of their own.
    pub now: Option<DateTime>,
    /// Further variables of the template, such as Qwen3's `enable_thinking`.
    pub variables: BTreeMap<String, serde_json::Value>,
}

impl Default for ChatOptions {
    fn default() -> Self {
        Self { add_generation_prompt: true, now: None, variables: BTreeMap::new() }
    }
}

/// The chat template of a published model: turns a conversation into the text of a prompt as the `apply_chat_template` of
/// `transformers` does.
///
/// Encode the text without adding special tokens: the template writes them itself.
pub struct ChatTemplate {
    environment: Environment<'static>,
    special_tokens: BTreeMap<String, String>,
}

/// Entries of `tokenizer_config.json` that templates see as variables.
const SPECIAL_TOKENS: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// The name of the one template in the environment; its ending would turn on escaping, so it has none.
const NAME: &str = "chat";

const HINT: &str = "take tokenizer_config.json and chat_template.jinja as they were published with the model";

/// A token in `tokenizer_config.json`: its text, or an object that holds it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Token {
    Text(String),
    Object { content: String },
}

/// The `chat_template` of `tokenizer_config.json`: the template, or several by name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Templates {
    One(String),
    Named(Vec<Named>),
}

#[derive(Deserialize)]
struct Named {
    name: String,
    template: String,
}

impl ChatTemplate {
    /// Reads the content of a `tokenizer_config.json` and, if the model has one, of the `chat_template.jinja` beside it,
    /// which takes precedence. `None` if there is no template: the model is not made for conversations.
    ///
    /// # Errors
    /// [`ErrorKind::Tokenizer`] if a file is malformed; a template's error names the line.
    pub fn from_config(config: &[u8], template: Option<&str>) -> Result<Option<Self>> {
        let mut config: BTreeMap<String, serde_json::Value> = serde_json::from_slice(config)
            .map_err(|error| bad(format!("tokenizer_config.json cannot be read: {error}")))?;
        let mut special_tokens = BTreeMap::new();
        for name in SPECIAL_TOKENS {
            match config.remove(name) {
                None | Some(serde_json::Value::Null) => {}
                Some(value) => {
                    let token = serde_json::from_value(value).map_err(|_| {
                        bad(format!(
                            "tokenizer_config.json has a \"{name}\" that is neither a text nor a token"
                        ))
                    })?;
                    let (Token::Text(text) | Token::Object { content: text }) = token;
                    special_tokens.insert(name.to_owned(), text);
                }
            }
        }
        let template = match template {
            Some(template) => template.to_owned(),
            None => match config.remove("chat_template") {
                None | Some(serde_json::Value::Null) => return Ok(None),
                Some(value) => published_template(value)?,
            },
        };
        let mut environment = environment()?;
        environment
            .add_template_owned(NAME, template)
            .map_err(|error| bad(format!("the chat template cannot be read: {}", reason(&error))))?;
        Ok(Some(Self { environment, special_tokens }))
    }

    /// The prompt text of a conversation.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] with the template's reason if it does not take this conversation, or these options.
    pub fn render(&self, messages: &[Message], options: &ChatOptions) -> Result<String> {
        let mut variables: BTreeMap<String, Value> = BTreeMap::new();
        variables
            .extend(self.special_tokens.iter().map(|(name, token)| (name.clone(), Value::from(&**token))));
        variables.extend(options.variables.iter().map(|(name, v)| (name.clone(), Serde(v).into())));
        variables.insert("messages".into(), Serde(messages).into());
        variables.insert("add_generation_prompt".into(), options.add_generation_prompt.into());
        // The reference always passes these two; templates ask whether they are none.
        for absent in ["tools", "documents"] {
            variables.entry(absent.into()).or_insert_with(|| Value::from(()));
        }
        if let Some(now) = options.now {
            let strftime = move |format: &str| now.format(format).map_err(refuse);
            variables.insert("strftime_now".into(), Value::from_function(strftime));
        }
        let template = self.environment.get_template(NAME).map_err(|error| bad(reason(&error)))?;
        template.render(variables).map_err(|error| {
            Error::new(
                ErrorKind::InvalidInput,
                format!("the model's chat template does not take this conversation: {}", reason(&error)),
                "mind the roles and their order: at most one system message, first, then user and assistant in turn",
            )
        })
    }
}

/// The template for plain conversations.
fn published_template(value: serde_json::Value) -> Result<String> {
    let templates = serde_json::from_value(value).map_err(|_| {
        bad("tokenizer_config.json has a \"chat_template\" that is neither a text nor a list of named templates")
    })?;
    match templates {
        Templates::One(template) => Ok(template),
        Templates::Named(named) => {
            let names: Vec<String> = named.iter().map(|t| format!("\"{}\"", t.name)).collect();
            named.into_iter().find(|t| t.name == "default").map(|t| t.template).ok_or_else(|| {
                bad(format!(
                    "tokenizer_config.json has no chat template \"default\", but {}",
                    names.join(", ")
                ))
            })
        }
    }
}

/// Jinja with the settings and functions with which `transformers` renders chat templates.
fn environment() -> Result<Environment<'static>> {
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    let mut environment = Environment::new();
    environment.set_syntax(syntax.map_err(|error| bad(reason(&error)))?);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_function("raise_exception", |message: String| Err::<Value, _>(refuse(message)));
    environment.add_filter("tojson", to_json);
    Ok(environment)
}

/// The `tojson` of `transformers`: Python's `json.dumps`, which leaves a space after commas and colons and escapes nothing
/// for HTML.
fn to_json(value: &Value, options: Kwargs) -> std::result::Result<String, minijinja::Error> {
    let indent: Option<usize> = options.get("indent")?;
    options.assert_all_used()?;
    let mut json = Vec::new();
    let written = match indent {
        Some(width) => {
            let indent = vec![b' '; width];
            let formatter = serde_json::ser::PrettyFormatter::with_indent(&indent);
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut json, formatter))
        }
        None => value.serialize(&mut serde_json::Serializer::with_formatter(&mut json, PythonFormatter)),
    };
    written.map_err(|error| refuse(error.to_string()))?;
    String::from_utf8(json).map_err(|error| refuse(error.to_string()))
}

/// Writes JSON on one line with a space after each comma and colon.
struct PythonFormatter;

impl serde_json::ser::Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, out: &mut W) -> std::io::Result<()> {
        out.write_all(b": ")
    }
}

/// An error that ends the rendering.
fn refuse(message: String) -> minijinja::Error {
    minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message)
}

/// What a Jinja error says, with the template's line.
fn reason(error: &minijinja::Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => format!("{what} (line {line} of the template)"),
        None => what,
    }
}

fn bad(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Tokenizer, message, HINT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> ChatTemplate {
        ChatTemplate::from_config(b"{}", Some(text)).unwrap().unwrap()
    }

    fn render(text: &str) -> Result<String> {
        let messages = [Message::new("user", "Hi <there> & \"you\"")];
        template(text).render(&messages, &ChatOptions::default())
    }

    #[test]
    fn templates_come_as_text_as_list_or_as_a_file_of_their_own() {
        let text = |config: &str, file| {
            let template = ChatTemplate::from_config(config.as_bytes(), file).unwrap();
            template.map(|t| t.render(&[], &ChatOptions::default()).unwrap())
        };
        let one = r#"{"bos_token":"<s>","eos_token":{"content":"</s>","special":true},
            "chat_template":"{{ bos_token }}one{{ eos_token }}"}"#;
        let list = r#"{"chat_template":[{"name":"tool_use","template":"tool"},{"name":"default","template":"two"}]}"#;
        assert_eq!(text(one, None).as_deref(), Some("<s>one</s>"));
        assert_eq!(text(list, None).as_deref(), Some("two"));
        assert_eq!(text(list, Some("file")).as_deref(), Some("file"));
        assert_eq!(text(r#"{"bos_token":null,"chat_template":null}"#, None), None);
    }

    #[test]
    fn blocks_leave_no_lines_and_nothing_is_escaped() {
        let text =
            "{% for m in messages %}\n    {% if true %}\n{{ m.content }}!\n    {% endif %}\n{% endfor %}\n";
        assert_eq!(render(text).unwrap(), "Hi <there> & \"you\"!\n");
    }

    #[test]
    fn json_is_written_as_python_writes_it() {
        let json = r#"{"a": [1, {"b": "<é>\n"}], "c": null}"#;
        let mut options = ChatOptions::default();
        options.variables.insert("value".into(), serde_json::from_str(json).unwrap());
        assert_eq!(template("{{ value | tojson }}").render(&[], &options).unwrap(), json);
        let pretty = template("{{ value.a | tojson(indent=2) }}").render(&[], &options).unwrap();
        assert_eq!(pretty, "[\n  1,\n  {\n    \"b\": \"<é>\\n\"\n  }\n]");
    }

    #[test]
    fn the_date_is_the_callers_and_absent_without_it() {
        let text = "{% if strftime_now is defined %}{{ strftime_now('%d %b %Y') }}{% else %}none{% endif %}";
        let options = ChatOptions { now: Some(DateTime::date(2025, 3, 7)), ..ChatOptions::default() };
        assert_eq!(template(text).render(&[], &options).unwrap(), "07 Mar 2025");
        assert_eq!(render(text).unwrap(), "none");
    }

    #[test]
    fn a_templates_own_refusal_reaches_the_user() {
        let error = render("{{ raise_exception('Roles must alternate') }}").unwrap_err();
        assert_eq!(error.code(), "invalid-input");
        assert!(error.message().contains("Roles must alternate"), "{error}");
    }

    #[test]
    fn malformed_files_are_named() {
        let error = |config: &str, file| {
            let error = ChatTemplate::from_config(config.as_bytes(), file).err().expect("must be refused");
            assert_eq!(error.code(), "tokenizer");
            error.message().to_owned()
        };
        assert!(error("{", None).contains("tokenizer_config.json"));
        assert!(error(r#"{"eos_token":3}"#, None).contains("\"eos_token\""));
        assert!(error(r#"{"chat_template":3}"#, None).contains("\"chat_template\""));
        assert!(error(r#"{"chat_template":[{"name":"rag","template":""}]}"#, None).contains("\"rag\""));
        assert!(error("{}", Some("one\n{% for %}")).contains("line 2"));
    }
}
