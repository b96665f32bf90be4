"""Gmail: the messages and labels of one mailbox, by the consent of its user."""

from connectors.gmail.connector import Gmail

connector = Gmail()
