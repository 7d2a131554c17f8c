//! The commands.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod rules;
pub(crate) mod test;
