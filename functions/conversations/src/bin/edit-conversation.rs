fn main() -> std::process::ExitCode {
    conversations::edit_conversation::main()
}
