from .contact_sheet import ContactSheetItem, draw_contact_sheet, judge_labels
from .contact_sheet_hook import ContactSheetHook

__all__ = [
    'ContactSheetHook',
    'ContactSheetItem',
    'draw_contact_sheet',
    'judge_labels',
]
