"""What Fusion and the palette cannot say, as one small style sheet made from the tokens."""

from __future__ import annotations

from argentum_desktop.resources import resource
from argentum_desktop.ui.tokens import RADIUS_CARD, RADIUS_CONTROL, Tokens


def stylesheet(tokens: Tokens) -> str:
    """Roles are dynamic properties (`role`) that the widgets in `ui/widgets` set once."""
    return _controls(tokens) + _views(tokens)


def _controls(t: Tokens) -> str:
    return f"""
QFrame[role="card"] {{ background: {t.surface}; border: 1px solid {t.line}; border-radius: {RADIUS_CARD}px; }}
QFrame[role="notice"] {{ background: {t.raised}; border: 1px solid {t.line}; border-radius: {RADIUS_CARD}px; }}
QWidget[role="navigation"] {{ background: {t.surface}; border: 0; border-right: 1px solid {t.line}; }}
QScrollArea, QScrollArea > QWidget > QWidget[role="page"] {{ background: transparent; border: 0; }}
QLabel {{ background: transparent; border: 0; color: {t.text}; }}
QLabel[role="muted"] {{ color: {t.muted}; }}
QLabel[role="badge"] {{ color: {t.muted}; border: 1px solid {t.line}; border-radius: 4px; padding: 0 6px; }}
QPushButton {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line};
    border-radius: {RADIUS_CONTROL}px; padding: 7px 14px; }}
QPushButton:hover {{ background: {t.hover}; }}
QPushButton:pressed {{ background: {t.line}; }}
QPushButton:disabled {{ color: {t.muted}; background: transparent; }}
QPushButton:focus {{ border: 2px solid {t.accent}; padding: 6px 13px; }}
QPushButton[role="primary"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; }}
QPushButton[role="primary"]:hover {{ background: {t.accent_hover}; }}
QPushButton[role="primary"]:focus {{ border: 2px solid {t.text}; }}
QPushButton[role="small"] {{ padding: 3px 10px; }}
QPushButton[role="small"]:focus {{ border: 2px solid {t.accent}; padding: 2px 9px; }}
QPushButton[role="choice"] {{ background: {t.surface}; border-radius: {RADIUS_CARD}px; padding: 0; text-align: left; }}
QPushButton[role="choice"]:hover {{ background: {t.hover}; }}
QPushButton[role="choice"]:checked {{ border: 1px solid {t.accent}; }}
QPushButton[role="choice"]:focus {{ border: 2px solid {t.accent}; padding: 0; }}
QPushButton[role="link"] {{ background: transparent; border: 1px solid transparent; color: {t.accent};
    padding: 3px 0; text-align: left; }}
QPushButton[role="link"]:focus {{ border: 2px solid {t.accent}; padding: 2px 0; }}
QPushButton[role="navigation"] {{ background: transparent; border: 1px solid transparent; text-align: left;
    padding: 8px 10px; color: {t.muted}; }}
QPushButton[role="navigation"]:hover {{ background: {t.hover}; }}
QPushButton[role="navigation"]:checked {{ background: {t.hover}; color: {t.text}; }}
QPushButton[role="navigation"]:focus {{ border: 2px solid {t.accent}; padding: 7px 9px; }}
QPushButton[role="segment"] {{ background: transparent; border: 1px solid transparent; color: {t.muted};
    padding: 3px 9px; border-radius: 5px; }}
QPushButton[role="segment"]:hover {{ color: {t.text}; }}
QPushButton[role="segment"]:checked {{ background: {t.hover}; color: {t.text}; }}
QPushButton[role="segment"]:focus {{ border: 2px solid {t.accent}; padding: 2px 8px; }}
"""


def _views(t: Tokens) -> str:
    # A style sheet cannot colour a drawing, so there is one for each theme.
    tick = resource("icons", "tick-dark.svg" if t.is_dark else "tick-light.svg").as_posix()
    return f"""
QMenu {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line}; padding: 6px; }}
QMenu::item {{ padding: 7px 24px 7px 12px; border-radius: 4px; background: transparent; }}
QMenu::item:selected {{ background: {t.hover}; }}
QMenu::item:disabled {{ color: {t.muted}; }}
QMenu::separator {{ height: 1px; background: {t.line}; margin: 6px 4px; }}
QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.line}; padding: 4px 6px; }}
QTableView {{ background: transparent; border: 0; gridline-color: {t.line}; selection-background-color: {t.hover};
    selection-color: {t.text}; outline: 0; }}
QTableView::item {{ padding: 0 8px; border: 0; border-bottom: 1px solid {t.line}; }}
QTableView:focus {{ border: 2px solid {t.accent}; }}
QTableView[role="whole"]::item {{ padding: 6px 8px; }}
QTableView::indicator {{ width: 14px; height: 14px; border: 1px solid {t.muted}; border-radius: 4px;
    background: transparent; }}
QTableView::indicator:checked {{ background: {t.accent}; border-color: {t.accent}; image: url("{tick}"); }}
QHeaderView {{ background: transparent; border: 0; }}
QHeaderView::section {{ background: transparent; color: {t.muted}; border: 0; border-bottom: 1px solid {t.line};
    padding: 6px 11px; }}
QPlainTextEdit {{ background: {t.ground}; color: {t.text}; border: 1px solid {t.line};
    border-radius: {RADIUS_CONTROL}px; padding: 6px; }}
QPlainTextEdit:focus {{ border: 2px solid {t.accent}; padding: 5px; }}
QDialog {{ background: {t.surface}; }}
QLineEdit {{ background: {t.ground}; color: {t.text}; border: 1px solid {t.line};
    border-radius: {RADIUS_CONTROL}px; padding: 6px; }}
QLineEdit:focus {{ border: 2px solid {t.accent}; padding: 5px; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 2px; }}
QScrollBar::handle:vertical {{ background: {t.line}; border-radius: 3px; min-height: 32px; }}
QScrollBar::handle:vertical:hover {{ background: {t.muted}; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 2px; }}
QScrollBar::handle:horizontal {{ background: {t.line}; border-radius: 3px; min-width: 32px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""
