//! A WebDriver's hold of a window that runs.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
pub use fantoccini::Locator;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::parts;
use crate::running::free_port;
use crate::wait;

/// How long something may take to be seen. It only serves to fail.
const LATEST: Duration = Duration::from_secs(60);

/// The driver, and the page that it holds.
pub struct Driver {
    runtime: Runtime,
    page: Option<Client>,
    program: Child,
}

impl Driver {
    /// Holds the window that lets itself be held at this port, as soon as there is one.
    pub fn hold(port: u16) -> Result<Self> {
        parts::system("WebKitWebDriver")?;
        let own = free_port()?;
        let program = Command::new("WebKitWebDriver")
            .arg(format!("--port={own}"))
            .arg(format!("--target=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut driver = Self {
            runtime: Runtime::new()?,
            page: None,
            program,
        };
        let page =
            wait::up_to(LATEST)
                .every(Duration::from_millis(100))
                .until("a window to hold", || {
                    let connecting = ClientBuilder::new(HttpConnector::new());
                    let address = format!("http://127.0.0.1:{own}");
                    // Where no window comes, the driver answers nothing at all.
                    let connected = driver.runtime.block_on(async {
                        tokio::time::timeout(LATEST, connecting.connect(&address)).await
                    });
                    connected.context("no window to hold came")
                });
        driver.page = Some(page?);
        Ok(driver)
    }

    /// What a script on the page returns.
    pub fn run(&self, script: &str) -> Result<Value> {
        let page = self.page.as_ref().context("let go")?;
        Ok(self.runtime.block_on(page.execute(script, vec![]))?)
    }

    /// Waits until the screen shows what the page has.
    pub fn painted(&self) -> Result<()> {
        const TWO_FRAMES: &str = "const [done] = arguments; \
             requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))";
        let page = self.page.as_ref().context("let go")?;
        self.runtime
            .block_on(page.execute_async(TWO_FRAMES, vec![]))?;
        Ok(())
    }

    /// A picture of the page, as PNG.
    pub fn picture(&self) -> Result<Vec<u8>> {
        let page = self.page.as_ref().context("let go")?;
        Ok(self.runtime.block_on(page.screenshot())?)
    }

    /// What a person can read.
    pub fn text(&self) -> Result<String> {
        let text = self.run("return document.body.innerText")?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until a person can read that.
    pub fn until(&self, words: &str) -> Result<()> {
        self.until_so(words, |text| text.contains(words))
    }

    /// Waits until what a person can read is so.
    pub fn until_so(&self, what: &str, is_so: impl Fn(&str) -> bool) -> Result<()> {
        wait::up_to(LATEST).until(what, || {
            let text = self.text();
            let so = text.as_ref().is_ok_and(|text| is_so(text));
            Ok(wait::is(so, format!("{text:?}")))
        })?;
        Ok(())
    }

    /// Waits until a script on the page returns this.
    pub fn until_run(&self, what: &str, script: &str, value: &Value) -> Result<()> {
        wait::up_to(LATEST).until(what, || {
            let said = self.run(script);
            let so = said.as_ref().is_ok_and(|said| said == value);
            Ok(wait::is(so, format!("{said:?}")))
        })?;
        Ok(())
    }

    /// Clicks the button or link that says this, as soon as it is there.
    pub fn click(&self, words: &str) -> Result<()> {
        let path = format!(
            "//*[(self::button or self::a) and (normalize-space(.)={words:?} or @aria-label={words:?}) and not(@aria-disabled='true')]"
        );
        self.click_at(Locator::XPath(&path))
            .with_context(|| format!("clicking {words:?}"))
    }

    /// Clicks what is there.
    pub fn click_at(&self, place: Locator<'_>) -> Result<()> {
        let page = self.page.as_ref().context("let go")?;
        self.runtime.block_on(async {
            let waiting = page.wait().at_most(LATEST);
            let found = waiting.for_element(place).await?;
            found.click().await?;
            Ok(())
        })
    }

    /// Types over what stands in a field.
    pub fn type_over(&self, field: &str, text: &str) -> Result<()> {
        const EMPTY: &str = "const [field] = arguments; const input = document.querySelector(field); \
             input.focus(); input.value = ''; \
             input.dispatchEvent(new InputEvent('input', { bubbles: true }))";
        let page = self.page.as_ref().context("let go")?;
        self.runtime
            .block_on(page.execute(EMPTY, vec![field.into()]))?;
        self.type_into(Locator::Css(field), text)
    }

    /// Types into what is there, as soon as it is.
    pub fn type_into(&self, place: Locator<'_>, text: &str) -> Result<()> {
        let page = self.page.as_ref().context("let go")?;
        self.runtime.block_on(async {
            let waiting = page.wait().at_most(LATEST);
            let found = waiting.for_element(place).await?;
            found.send_keys(text).await?;
            Ok(())
        })
    }

    /// Which window it holds, by what its address ends with.
    pub fn address(&self) -> Result<String> {
        let address = self.run("return location.pathname")?;
        Ok(address.as_str().unwrap_or_default().to_owned())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.program.kill());
        drop(self.program.wait());
    }
}
