import Imaging

/// What people are shown of a run in one document: a title, a few numbers, and sections from top to bottom. `--html` writes it.
public struct Page: Sendable {
    /// A number to be seen first.
    public struct Fact: Sendable {
        public let value, name: String
        public init(_ value: String, _ name: String) { (self.value, self.name) = (value, name) }
    }

    public struct Table: Sendable {
        public let head: [String]
        public let rows: [[String]]
        public init(_ head: [String], _ rows: [[String]]) { (self.head, self.rows) = (head, rows) }
    }

    public enum Content: Sendable {
        case figure(Figure)
        /// Beside each other, as many as there is room for.
        case smallFigures([Figure])
        case picture(Image, description: String)
        case table(Table)
        /// As a terminal shows it; tables in Markdown become tables.
        case text(String)
    }

    public struct Section: Sendable {
        public let title: String
        /// What a reader has to know.
        public let note: String
        public let contents: [Content]

        public init(_ title: String, note: String = "", _ contents: Content...) {
            (self.title, self.note, self.contents) = (title, note, contents)
        }
    }

    public let title: String
    public let facts: [Fact]
    public let sections: [Section]

    public init(_ title: String, facts: [Fact] = [], sections: [Section]) {
        (self.title, self.facts, self.sections) = (title, facts, sections)
    }
}
