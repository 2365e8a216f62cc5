//! Text to token ids and back, as published language models are used: tokenizer, chat template, streamed text.
//!
//! | step | type |
//! |---|---|
//! | conversation to prompt text | [`ChatTemplate`] |
//! | text to ids, ids to text | [`Tokenizer`] |
//! | ids to text while they are generated | [`Detokenizer`] |
//! | end at a given text | [`StopStrings`] |

mod chat;
mod date;
mod detokenizer;
mod outline;
mod stop;
mod tokenizer;

pub use chat::{ChatOptions, ChatTemplate, Message};
pub use date::DateTime;
pub use detokenizer::Detokenizer;
pub use stop::{StopStrings, Stopped};
pub use tokenizer::Tokenizer;
