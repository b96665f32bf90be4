"""Google Calendar: the calendars on an account's list and their events, by the consent of its user."""

from connectors.google_calendar.connector import GoogleCalendar

connector = GoogleCalendar()
