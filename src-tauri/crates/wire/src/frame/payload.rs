//! What can stand in a frame.

/// What a kind of frame carries.
pub(super) trait Payload: Sized {
    /// Appends its bytes.
    fn write(&self, out: &mut Vec<u8>);

    /// The same from its bytes; or what is wrong with them.
    fn read(payload: &[u8]) -> Result<Self, &'static str>;

    /// Some that differ in what could go wrong.
    #[cfg(test)]
    fn examples() -> Vec<Self>;
}

impl Payload for Vec<u8> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(payload: &[u8]) -> Result<Self, &'static str> {
        Ok(payload.to_vec())
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![b"{}".to_vec(), vec![], vec![0; 70_000]]
    }
}

impl Payload for String {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }

    fn read(payload: &[u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(payload).map_err(|_| "its text is not UTF-8")?;
        Ok(text.to_owned())
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        ["y", "", "sign in at …\n"].map(str::to_owned).into()
    }
}

impl Payload for u8 {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    fn read(payload: &[u8]) -> Result<Self, &'static str> {
        match payload {
            [byte] => Ok(*byte),
            _ => Err("an exit code is one byte"),
        }
    }

    #[cfg(test)]
    fn examples() -> Vec<Self> {
        vec![7]
    }
}
