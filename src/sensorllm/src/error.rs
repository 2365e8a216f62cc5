//! The library's one error type: what was wrong, what to do about it, and a stable code for programs.

use std::fmt;

/// Result of this library's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Something that went wrong, with a stable [`code`](Error::code), a message that says what was wrong and a
/// [`hint`](Error::hint) that says what to do.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: String,
}

/// What kind of thing went wrong. The JavaScript package turns [`ErrorKind::code`] into its error's `code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No samples, or fewer than one window needs.
    TooFewSamples,
    /// A file or a list of samples cannot be read as what it should be.
    InvalidInput,
    /// Times run backwards, stand still or are not numbers.
    Clock,
    /// The sampling rate is too low to be brought to the model's rate.
    Rate,
    /// A channel the model needs is missing.
    MissingChannel,
    /// The manifest of a model folder is malformed or asks for something this version does not know.
    Manifest,
    /// A model file's content differs from what its manifest says (size or SHA-256).
    Integrity,
    /// A weights file is malformed, or a tensor in it is missing, surplus or of the wrong shape.
    Weights,
    /// A published checkpoint's configuration asks for something this version does not have.
    Unsupported,
    /// A prompt is empty, has ids the model does not know, or does not fit its context.
    Prompt,
    /// A tokenizer or chat template is malformed, or does not fit the model.
    Tokenizer,
    /// The compute device cannot be used or was lost.
    Device,
}

impl ErrorKind {
    /// The stable code of this kind, in kebab-case.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooFewSamples => "too-few-samples",
            Self::InvalidInput => "invalid-input",
            Self::Clock => "clock",
            Self::Rate => "rate",
            Self::MissingChannel => "missing-channel",
            Self::Manifest => "manifest",
            Self::Integrity => "integrity",
            Self::Weights => "weights",
            Self::Unsupported => "unsupported",
            Self::Prompt => "prompt",
            Self::Tokenizer => "tokenizer",
            Self::Device => "device",
        }
    }
}

impl Error {
    /// An error of `kind`: `message` says what was wrong, `hint` what to do.
    pub fn new(kind: ErrorKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: hint.into() }
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The stable code of the error's kind.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// What was wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        if !self.hint.is_empty() {
            write!(f, " ({})", self.hint)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error[{}]: {self}", self.code())
    }
}

impl std::error::Error for Error {}
