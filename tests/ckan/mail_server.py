"""A mail server that keeps what it is given, or says that it is busy."""

import email
import socketserver
import threading
from email import policy


class Conversation(socketserver.StreamRequestHandler):
    """As much of SMTP as a client of the standard library speaks."""

    def handle(self):
        """One connection, until QUIT."""
        self.say("220 test")
        for line in self.rfile:
            word = line.split()[0].upper()
            if word == b"QUIT":
                return self.say("221 bye")
            if word == b"DATA":
                self.take_letter()
            else:
                busy = self.server.busy and word == b"MAIL"
                self.say("451 busy" if busy else "250 ok")
        return None

    def take_letter(self):
        """The text, until a line with a dot alone."""
        self.say("354 go on")
        lines = list(iter(self.rfile.readline, b".\r\n"))
        self.server.letters.append(email.message_from_bytes(b"".join(lines), policy=policy.default))
        self.say("250 kept")

    def say(self, answer):
        """One line."""
        self.wfile.write(f"{answer}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on a port of its own."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.letters, self.busy = [], False
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        """Host and port, as CKAN wants them."""
        return f"127.0.0.1:{self.server_address[1]}"

    def close(self):
        """Stops listening."""
        self.shutdown()
        self.server_close()
