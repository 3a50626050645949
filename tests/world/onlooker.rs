//! Somebody in front of an X screen: sees its colours, takes pictures of it, has a mouse, closes windows.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask,
    ImageFormat, MapState, Window,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::wait;

/// How long something may take to be seen. It only serves to fail.
const LATEST: Duration = Duration::from_secs(60);

/// A connection of its own to an X server.
pub struct Onlooker {
    connection: RustConnection,
    root: Window,
    names: Names,
}

struct Names {
    title: Atom,
    utf8: Atom,
    protocols: Atom,
    delete: Atom,
}

/// A part of a screen, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// From the left.
    pub x: i16,
    /// From the top.
    pub y: i16,
    /// How wide.
    pub width: u16,
    /// How high.
    pub height: u16,
}

/// A window that can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    id: Window,
    /// Where.
    pub area: Area,
}

/// A picture, three bytes a pixel.
#[derive(PartialEq, Eq)]
pub struct Picture {
    size: (u32, u32),
    pixels: Vec<u8>,
}

/// A button of the mouse.
#[derive(Clone, Copy, Debug)]
pub enum Button {
    /// It does the thing.
    Left,
    /// It opens a menu.
    Right,
}

/// Red, green, blue.
pub type Colour = [u8; 3];

impl Onlooker {
    /// In front of this display.
    pub fn at(display: &str) -> Result<Self> {
        let (connection, screen) = x11rb::connect(Some(display))?;
        let root = connection.setup().roots[screen].root;
        let atom = |name: &str| -> Result<Atom> {
            Ok(connection
                .intern_atom(false, name.as_bytes())?
                .reply()?
                .atom)
        };
        let names = Names {
            title: atom("_NET_WM_NAME")?,
            utf8: atom("UTF8_STRING")?,
            protocols: atom("WM_PROTOCOLS")?,
            delete: atom("WM_DELETE_WINDOW")?,
        };
        Ok(Self {
            connection,
            root,
            names,
        })
    }

    /// The whole screen.
    pub fn screen(&self) -> Result<Area> {
        self.area(self.root)
    }

    /// The colour of one pixel.
    pub fn colour(&self, x: i16, y: i16) -> Result<Colour> {
        let (width, height) = (1, 1);
        let picture = self.picture(Area {
            x,
            y,
            width,
            height,
        })?;
        picture.pixels.try_into().ok().context("one pixel")
    }

    /// What is to be seen there.
    pub fn picture(&self, of: Area) -> Result<Picture> {
        let Area {
            x,
            y,
            width,
            height,
        } = of;
        let format = ImageFormat::Z_PIXMAP;
        let image = self
            .connection
            .get_image(format, self.root, x, y, width, height, !0)?
            .reply()?;
        let count = usize::from(width) * usize::from(height);
        // Blue, green, red and a byte of nothing, as every server of today has it at 24 bits.
        ensure!(image.data.len() == 4 * count, "not 4 bytes a pixel");
        let pixels = image.data.chunks_exact(4);
        Ok(Picture {
            size: (width.into(), height.into()),
            pixels: pixels.flat_map(|it| [it[2], it[1], it[0]]).collect(),
        })
    }

    /// The window of this title that can be seen.
    pub fn window(&self, title: &str) -> Result<Option<Shown>> {
        let children = self.connection.query_tree(self.root)?.reply()?.children;
        // The topmost is last; any may go while it is asked.
        let mut shown = children.into_iter().rev().filter_map(|id| {
            let is_it = self.is_viewable(id).ok()? && self.title(id).ok()? == title;
            let area = self.area(id).ok()?;
            is_it.then_some(Shown { id, area })
        });
        Ok(shown.next())
    }

    /// The same, as soon as there is one.
    pub fn until_window(&self, title: &str) -> Result<Shown> {
        wait::up_to(LATEST).until(&format!("a window {title:?}"), || self.window(title))
    }

    /// Closes it as the cross in its corner does.
    pub fn close(&self, window: Shown) -> Result<()> {
        let (protocols, data) = (self.names.protocols, [self.names.delete, 0, 0, 0, 0]);
        let message = ClientMessageEvent::new(32, window.id, protocols, data);
        self.connection
            .send_event(false, window.id, EventMask::NO_EVENT, message)?
            .check()?;
        Ok(())
    }

    /// Puts it there, and makes it so large.
    pub fn put(&self, window: Shown, to: Area) -> Result<()> {
        let frame = ConfigureWindowAux::new()
            .x(i32::from(to.x))
            .y(i32::from(to.y))
            .width(u32::from(to.width))
            .height(u32::from(to.height));
        self.connection
            .configure_window(window.id, &frame)?
            .check()?;
        Ok(())
    }

    /// Opens the menu of the panel's only tray item by a click with the right button, and waits until it is there.
    pub fn open_tray_menu(&self) -> Result<Area> {
        // What xfce4-panel runs its plugins in: the first of them is the tray.
        const PLUGIN: &str = "wrapper-2.0";
        let tray = wait::up_to(LATEST).until("a tray in the panel", || {
            let mut plugins = Vec::new();
            self.below(self.root, PLUGIN, &mut plugins)?;
            let items = plugins
                .into_iter()
                .filter(|area| area.width > 16 && area.height > 16);
            Ok(items.min_by_key(|area| area.x))
        })?;
        let (x, y) = (tray.width.div_ceil(2), tray.height.div_ceil(2));
        self.click(
            Button::Right,
            tray.x + x.cast_signed(),
            tray.y + y.cast_signed(),
        )?;
        let panel_ends = tray.y + tray.height.cast_signed();
        wait::up_to(LATEST).until("a menu", || {
            let children = self.connection.query_tree(self.root)?.reply()?.children;
            // Any may go while it is asked. A menu hangs from the panel, and is none: it is neither flat nor as wide as
            // the screen.
            let screen = self.screen()?;
            let mut areas = children
                .into_iter()
                .filter(|id| self.is_viewable(*id).unwrap_or(false))
                .filter_map(|id| self.area(id).ok());
            let menu = |area: &Area| {
                area.y < panel_ends + 8 && area.height > 60 && area.width < screen.width / 2
            };
            Ok(areas.find(menu))
        })
    }

    /// Where the windows of this title are on the screen, at any depth.
    fn below(&self, window: Window, title: &str, found: &mut Vec<Area>) -> Result<()> {
        let children = self.connection.query_tree(window)?.reply()?.children;
        for child in children {
            if !self.is_viewable(child).unwrap_or(false) {
                continue;
            }
            if self.title(child).is_ok_and(|its| its == title) {
                let mut area = self.area(child)?;
                let at = self
                    .connection
                    .translate_coordinates(child, self.root, 0, 0)?
                    .reply()?;
                (area.x, area.y) = (at.dst_x, at.dst_y);
                found.push(area);
            }
            // One that went meanwhile has none.
            drop(self.below(child, title, found));
        }
        Ok(())
    }

    /// Moves the mouse there and clicks.
    pub fn click(&self, button: Button, x: i16, y: i16) -> Result<()> {
        const MOTION: u8 = 6;
        const PRESS: u8 = 4;
        const RELEASE: u8 = 5;
        let button = match button {
            Button::Left => 1,
            Button::Right => 3,
        };
        for (kind, detail) in [(MOTION, 0), (PRESS, button), (RELEASE, button)] {
            self.connection
                .xtest_fake_input(kind, detail, 0, self.root, x, y, 0)?
                .check()?;
        }
        Ok(())
    }

    fn is_viewable(&self, window: Window) -> Result<bool> {
        let attributes = self.connection.get_window_attributes(window)?.reply()?;
        Ok(attributes.map_state == MapState::VIEWABLE)
    }

    fn title(&self, window: Window) -> Result<String> {
        let (property, kind) = (self.names.title, self.names.utf8);
        let of = |property, kind| -> Result<Vec<u8>> {
            let asked = self
                .connection
                .get_property(false, window, property, kind, 0, 256)?;
            Ok(asked.reply()?.value)
        };
        let mut title = of(property, kind)?;
        if title.is_empty() {
            title = of(AtomEnum::WM_NAME.into(), AtomEnum::STRING.into())?;
        }
        Ok(String::from_utf8_lossy(&title).into_owned())
    }

    fn area(&self, window: Window) -> Result<Area> {
        let geometry = self.connection.get_geometry(window)?.reply()?;
        let (width, height) = (geometry.width, geometry.height);
        let (x, y) = (geometry.x, geometry.y);
        Ok(Area {
            x,
            y,
            width,
            height,
        })
    }
}

impl Picture {
    /// How many colours it has.
    pub fn colours(&self) -> usize {
        let pixels = self.pixels.as_chunks::<3>().0.iter();
        pixels.collect::<BTreeSet<_>>().len()
    }

    /// Writes it as PNG.
    pub fn save(&self, file: &Path) -> Result<()> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut encoder = png::Encoder::new(
            BufWriter::new(File::create(file)?),
            self.size.0,
            self.size.1,
        );
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.pixels)?;
        Ok(writer.finish()?)
    }
}
